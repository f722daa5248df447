# The headers of TensorRT and of TensorRT-RTX (>= 11 and >= 1.6), with the ONNX parser's: for `tessera build`. Either,
# both or none; their libraries are opened at run time. Which one a folder belongs to, NvInferVersion.h tells.
# Places to look beside the usual ones: TENSORRT_ROOT (also as environment variable) and ~/.cache/tessera.
set(TESSERA_TENSORRT_HEADERS "")
set(TESSERA_TENSORRT_RTX_HEADERS "")
foreach(folder ${TENSORRT_ROOT}/include $ENV{TENSORRT_ROOT}/include $ENV{TENSORRT_RTX_ROOT}/include
               $ENV{HOME}/.cache/tessera/tensorrt/include $ENV{HOME}/.cache/tessera/tensorrt_rtx/include
               /usr/include/x86_64-linux-gnu /usr/include /usr/local/tensorrt/include /usr/local/include)
  if(NOT EXISTS ${folder}/NvInferVersion.h OR NOT EXISTS ${folder}/NvOnnxParser.h)
    continue()
  endif()
  file(STRINGS ${folder}/NvInferVersion.h is_rtx REGEX "define TRT_MAJOR_RTX")
  if(is_rtx AND NOT TESSERA_TENSORRT_RTX_HEADERS)
    set(TESSERA_TENSORRT_RTX_HEADERS ${folder})
  elseif(NOT is_rtx AND NOT TESSERA_TENSORRT_HEADERS)
    set(TESSERA_TENSORRT_HEADERS ${folder})
  endif()
endforeach()
# TensorRT's headers name CUDA's types.
find_path(TESSERA_CUDA_HEADERS cuda_runtime_api.h HINTS $ENV{CUDA_HOME}/include PATHS /usr/local/cuda/include)

if(NOT TESSERA_CUDA_HEADERS OR NOT (TESSERA_TENSORRT_HEADERS OR TESSERA_TENSORRT_RTX_HEADERS))
  set(TESSERA_TENSORRT_HEADERS "")
  set(TESSERA_TENSORRT_RTX_HEADERS "")
  message(STATUS "skipped: tessera build (build/tensorrt): no headers of TensorRT or TensorRT-RTX and CUDA; set TENSORRT_ROOT")
else()
  message(STATUS "tessera build: headers in ${TESSERA_TENSORRT_HEADERS} ${TESSERA_TENSORRT_RTX_HEADERS}")
endif()
