#include "tessera/build/tensorrt/library.h"

#include <NvInferVersion.h>
#include <dlfcn.h>

#include <filesystem>

namespace tessera::build {
namespace {

namespace fs = std::filesystem;

#if defined(TRT_MAJOR_RTX)
constexpr const char* kParserName = "libtensorrt_onnxparser_rtx.so.";
#else
constexpr const char* kParserName = "libnvonnxparser.so.";
#endif

// The parser finds the library's symbols among those of the process.
constexpr int kOpenFlags = RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE;

#if defined(TRT_MAJOR_RTX)
constexpr const char* kWhatElse = "--library FILE says where it is";
#else
constexpr const char* kWhatElse =
    "--library FILE says where it is; with --sm TensorRT-RTX builds, if it is there";
#endif

struct Opened {
  void* handle = nullptr;
  std::string name;
};

Result<Opened> OpenFirst(const std::vector<std::string>& candidates, const char* what) {
  std::string reason = "no name given";
  for (const std::string& name : candidates) {
    if (void* handle = dlopen(name.c_str(), kOpenFlags)) return Opened{handle, name};
    if (const char* error = dlerror()) reason = error;
  }
  return Fail(Code::kUnavailable, "{}'s {} cannot be opened: {}; {}", kProductName, what, reason, kWhatElse);
}

// Where the loader found an open library.
fs::path FolderOf(void* symbol) {
  Dl_info info{};
  if (dladdr(symbol, &info) == 0 || info.dli_fname == nullptr) return {};
  return fs::path(info.dli_fname).parent_path();
}

// The library takes a logger as void*, at the address of that base.
void* AsLogger(Messages& messages) {
  return static_cast<nvinfer1::ILogger*>(&messages);
}

template <class Function>
Function Find(const Opened& library, const char* symbol) {
  return reinterpret_cast<Function>(dlsym(library.handle, symbol));
}

}  // namespace

Result<BuilderLibrary> BuilderLibrary::Open(const std::vector<std::string>& candidates) {
  TRY_ASSIGN(const Opened library, OpenFirst(candidates, "library"));
  BuilderLibrary opened;
  const auto version = Find<int32_t (*)()>(library, "getInferLibVersion");
  opened.create_builder_ = Find<CreateBuilderFunction>(library, "createInferBuilder_INTERNAL");
  if (version == nullptr || opened.create_builder_ == nullptr) {
    return Fail(Code::kUnsupported, "'{}' is no {} library with a builder", library.name, kProductName);
  }
  opened.number_ = version();
  if (opened.number_ / 10000 != NV_TENSORRT_MAJOR || opened.number_ / 100 % 100 < NV_TENSORRT_MINOR) {
    return Fail(Code::kUnsupported,
                "'{}' is version {}, this program was built with the headers of {} {}.{} and wants that or a "
                "later {}",
                library.name, opened.version(), kProductName, NV_TENSORRT_MAJOR, NV_TENSORRT_MINOR,
                NV_TENSORRT_MAJOR);
  }
  const std::string parser_name = kParserName + std::to_string(NV_TENSORRT_MAJOR);
  const fs::path beside = FolderOf(dlsym(library.handle, "getInferLibVersion")) / parser_name;
  TRY_ASSIGN(const Opened parser, OpenFirst({beside.string(), parser_name}, "ONNX parser"));
  opened.create_parser_ = Find<CreateParserFunction>(parser, "createNvOnnxParser_INTERNAL");
  if (opened.create_parser_ == nullptr)
    return Fail(Code::kUnsupported, "'{}' is no ONNX parser of {}", parser.name, kProductName);
  return opened;
}

std::string BuilderLibrary::version() const {
  return fmt::format("{}.{}.{}", number_ / 10000, number_ / 100 % 100, number_ % 100);
}

Result<std::unique_ptr<nvinfer1::IBuilder>> BuilderLibrary::CreateBuilder(Messages& messages) const {
  auto* builder = static_cast<nvinfer1::IBuilder*>(create_builder_(AsLogger(messages), NV_TENSORRT_VERSION));
  if (builder == nullptr) {
    return Fail(Code::kUnavailable, "{} {} made no builder: {}", kProductName, version(),
                messages.TakeErrors());
  }
  return std::unique_ptr<nvinfer1::IBuilder>(builder);
}

Result<std::unique_ptr<nvonnxparser::IParser>> BuilderLibrary::CreateParser(
    nvinfer1::INetworkDefinition& network, Messages& messages) const {
  auto* parser = static_cast<nvonnxparser::IParser*>(
      create_parser_(&network, AsLogger(messages), NV_ONNX_PARSER_VERSION));
  if (parser == nullptr) {
    return Fail(Code::kUnavailable, "{} {} made no ONNX parser: {}", kProductName, version(),
                messages.TakeErrors());
  }
  return std::unique_ptr<nvonnxparser::IParser>(parser);
}

}  // namespace tessera::build
