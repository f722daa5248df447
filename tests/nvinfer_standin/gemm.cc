#include "tests/nvinfer_standin/gemm.h"

#include <cublasLt.h>

namespace tessera::standin {
namespace {

// Owns cuBLASLt's descriptions of one product. cuBLASLt is column-major: it computes out' = op(b)' op(a)'.
class Plan {
 public:
  ~Plan() {
    for (cublasLtMatrixLayout_t layout : {a_, b_, out_}) {
      if (layout != nullptr) (void)cublasLtMatrixLayoutDestroy(layout);
    }
    if (operation_ != nullptr) (void)cublasLtMatmulDescDestroy(operation_);
  }
  Plan() = default;
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  Result<void> Make(const Gemm& gemm, cublasLtHandle_t handle);
  bool Run(cublasLtHandle_t handle, const void* a, const void* b, void* out, void* workspace,
           cudaStream_t stream, std::string& why) const;

 private:
  Result<void> PickType(DType type);
  Result<void> Describe();
  Result<void> PickAlgorithm(cublasLtHandle_t handle);
  Result<void> Layout(cublasLtMatrixLayout_t& layout, int64_t rows, int64_t columns, int64_t batch,
                      int64_t stride);
  Gemm gemm_;
  cudaDataType_t type_ = CUDA_R_32F;
  cublasLtMatmulDesc_t operation_ = nullptr;
  cublasLtMatrixLayout_t a_ = nullptr;
  cublasLtMatrixLayout_t b_ = nullptr;
  cublasLtMatrixLayout_t out_ = nullptr;
  cublasLtMatmulAlgo_t algorithm_{};
};

Result<void> Ok(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return {};
  return Fail(Code::kInternal, "{}: {}", what, cublasLtGetStatusString(status));
}

Result<void> Plan::Layout(cublasLtMatrixLayout_t& layout, int64_t rows, int64_t columns, int64_t batch,
                          int64_t stride) {
  // A row-major [rows, columns] matrix is a column-major [columns, rows] one.
  TRY(Ok(cublasLtMatrixLayoutCreate(&layout, type_, static_cast<uint64_t>(columns),
                                    static_cast<uint64_t>(rows), columns),
         "cublasLtMatrixLayoutCreate"));
  const auto count = static_cast<int32_t>(batch);
  TRY(Ok(cublasLtMatrixLayoutSetAttribute(layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof(count)),
         "batch"));
  return Ok(cublasLtMatrixLayoutSetAttribute(layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride,
                                             sizeof(stride)),
            "stride");
}

Result<void> Plan::Make(const Gemm& gemm, cublasLtHandle_t handle) {
  gemm_ = gemm;
  TRY(PickType(gemm.type));
  TRY(Describe());
  return PickAlgorithm(handle);
}

Result<void> Plan::PickType(DType type) {
  switch (type) {
    case DType::kFloat32:
      type_ = CUDA_R_32F;
      return {};
    case DType::kFloat16:
      type_ = CUDA_R_16F;
      return {};
    case DType::kBFloat16:
      type_ = CUDA_R_16BF;
      return {};
    default:
      return Fail(Code::kUnsupported, "a matrix product of {}", DTypeName(type));
  }
}

Result<void> Plan::Describe() {
  TRY(Ok(cublasLtMatmulDescCreate(&operation_, CUBLAS_COMPUTE_32F, CUDA_R_32F), "cublasLtMatmulDescCreate"));
  const cublasOperation_t first = gemm_.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N;
  const cublasOperation_t second = gemm_.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
  TRY(Ok(cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_TRANSA, &first, sizeof(first)),
         "transpose"));
  TRY(Ok(cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_TRANSB, &second, sizeof(second)),
         "transpose"));
  const cublasLtEpilogue_t epilogue = gemm_.relu ? CUBLASLT_EPILOGUE_RELU : CUBLASLT_EPILOGUE_DEFAULT;
  TRY(Ok(
      cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof(epilogue)),
      "epilogue"));
  TRY(Layout(a_, gemm_.transpose_a ? gemm_.k : gemm_.m, gemm_.transpose_a ? gemm_.m : gemm_.k, gemm_.batch,
             gemm_.stride_a));
  TRY(Layout(b_, gemm_.transpose_b ? gemm_.n : gemm_.k, gemm_.transpose_b ? gemm_.k : gemm_.n, gemm_.batch,
             gemm_.stride_b));
  return Layout(out_, gemm_.m, gemm_.n, gemm_.batch, gemm_.m * gemm_.n);
}

Result<void> Plan::PickAlgorithm(cublasLtHandle_t handle) {
  cublasLtMatmulPreference_t preference = nullptr;
  TRY(Ok(cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate"));
  const size_t workspace = Device::kWorkspaceBytes;
  (void)cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace,
                                             sizeof(workspace));
  cublasLtMatmulHeuristicResult_t best{};
  int found = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(handle, operation_, b_, a_, out_, out_, preference, 1, &best, &found);
  (void)cublasLtMatmulPreferenceDestroy(preference);
  TRY(Ok(status, "cublasLtMatmulAlgoGetHeuristic"));
  if (found == 0) {
    return Fail(Code::kUnsupported, "no algorithm for [{},{}] x [{},{}]", gemm_.m, gemm_.k, gemm_.k, gemm_.n);
  }
  algorithm_ = best.algo;
  return {};
}

bool Plan::Run(cublasLtHandle_t handle, const void* a, const void* b, void* out, void* workspace,
               cudaStream_t stream, std::string& why) const {
  const float beta = gemm_.accumulate ? 1.0F : 0.0F;
  const cublasStatus_t status =
      cublasLtMatmul(handle, operation_, &gemm_.alpha, b, b_, a, a_, &beta, out, out_, out, out_, &algorithm_,
                     workspace, Device::kWorkspaceBytes, stream);
  if (status != CUBLAS_STATUS_SUCCESS) why = cublasLtGetStatusString(status);
  return status == CUBLAS_STATUS_SUCCESS;
}

}  // namespace

Result<void> EmitGemm(Builder& builder, const Gemm& gemm, const void* a, const void* b, void* out) {
  if (builder.dry() || gemm.m * gemm.n * gemm.k * gemm.batch == 0) return {};
  auto plan = std::make_shared<Plan>();
  TRY(plan->Make(gemm, builder.device().blas));
  builder.Add([plan, a, b, out, handle = builder.device().blas, workspace = builder.device().workspace](
                  cudaStream_t stream, std::string& why) {
    return plan->Run(handle, a, b, out, workspace.get(), stream, why);
  });
  return {};
}

}  // namespace tessera::standin
