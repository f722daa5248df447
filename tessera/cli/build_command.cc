#include <memory>

#include "tessera/cli/build_report.h"
#include "tessera/cli/commands.h"
#include "tessera/cli/model_build.h"

namespace tessera::cli {
namespace {

constexpr const char* kBuildAbout =
    "Makes the TensorRT engine of every rank from its ONNX file, with TensorRT's own parser and builder, "
    "several ranks at a time. The model must have been sharded with --engine tensorrt. The engines go beside "
    "the ONNX files, which stay as they are, and plan.json records what was built; the collectives that the "
    "engines hold are compared with the plan's. TensorRT builds for the GPU of this machine; TensorRT-RTX "
    "also for one that is not here (--sm). Engines compute in the model's own types, with --fp16 or --bf16 "
    "in that one what is FP32 and bears it.";
constexpr const char* kBuildExample =
    "Examples:\n"
    "  tessera build repo/minilm --profile batch=1:8:64,sequence=1:128:256\n"
    "  tessera build repo/minilm --fp16\n"
    "  tessera build repo/minilm --sm 80 --sm 120 --no-tf32";

// What becomes something else in BuildOptions.
struct Flags {
  bool fp16 = false;
  bool bf16 = false;
  double probe_tolerance = -1;
};

// kUndefined: FP32 stays.
Result<DType> HalfTypeOf(const Flags& flags) {
  if (flags.fp16 && flags.bf16) {
    return Fail(Code::kInvalidArgument,
                "--fp16 and --bf16 were both given, an engine computes in one of them: BF16 where numbers go "
                "beyond 65504, else FP16, which is more exact");
  }
  return flags.fp16 ? DType::kFloat16 : flags.bf16 ? DType::kBFloat16 : DType::kUndefined;
}

Result<int> Build(BuildOptions options, const Flags& flags) {
  TRY_ASSIGN(options.half, HalfTypeOf(flags));
  if (flags.probe_tolerance >= 0) options.probe_tolerance = flags.probe_tolerance;
  TRY_ASSIGN(const BuiltModel built, BuildModel(options));
  options.json ? PrintJson(built) : PrintText(built);
  return ToInt(ExitCode::kOk);
}

}  // namespace

void AddBuildCommand(Program& program) {
  auto options = std::make_shared<BuildOptions>();
  auto flags = std::make_shared<Flags>();
  Command command =
      program.Add("build", kBuildAbout, kBuildExample, [options, flags] { return Build(*options, *flags); });
  command.Add("MODEL", options->model, "The model's directory, REPO/NAME (or one version of it)").Required();
  command
      .Add("--sm", options->capabilities,
           "Compute capability to build for, 80 for 8.0; may be given several times; else this machine's GPU")
      .Between(10, 999);
  command.Add(
      "--profile", options->profiles,
      "NAME=MIN:OPT:MAX,..: sizes of free dimensions (INPUT.AXIS for one without a name); 1:8:64 for those "
      "that come first in an input and 1:128:512 for others are assumed. Given several times: several "
      "optimisation profiles");
  command.Flag("--no-tf32", options->no_tf32,
               "Compute FP32 products in FP32, not in TF32: slower, more exact");
  command.Flag(
      "--fp16", flags->fp16,
      "Compute FP32 products, elementwise operators and collectives in FP16; what needs FP32's range or "
      "precision, inputs and outputs stay FP32");
  command.Flag(
      "--bf16", flags->bf16,
      "The same in BF16, which has FP32's range and 8 bits of precision: for models whose numbers go "
      "beyond 65504, as those trained in BF16 may");
  command.Add("--builder", options->builder,
              "tensorrt or tensorrt-rtx; else TensorRT-RTX with --sm, TensorRT without");
  command.Add("--library", options->library, "The library's file, if the loader does not find it");
  command.Add(
      "--timing-cache", options->timing_cache,
      "File of kernel timings to start from and to update; makes the next build faster (TensorRT only)");
  command.Add("--against", options->against,
              "The ONNX file that was sharded: it answers the probe, a request that is run and compared "
              "whenever the engines are loaded; else the ranks' ONNX files do, on the CPU");
  command.Flag("--no-probe", options->no_probe, "Record no probe");
  command
      .Add("--probe-tolerance", flags->probe_tolerance,
           "How far off the probe's answers may be, relative to the largest value of an output; else by "
           "type")
      .NotNegative();
  command
      .Add("--jobs", options->jobs,
           "How many ranks to build at a time; 0 = one on each GPU (TensorRT), as many as cores "
           "(TensorRT-RTX)")
      .ShowDefault();
  command.Flag("--verbose", options->verbose, "Show all of the builder's messages on stderr");
  command.JsonFlag(options->json);
}

}  // namespace tessera::cli
