# CUDA, NCCL and the TensorRT headers: only for -DTRITON_ENABLE_TENSORRT_MULTI_DEVICE=ON. TensorRT's library is opened
# at run time, so a machine without it builds (and without a GPU compiles) everything here.
# Places to look beside the usual ones: TENSORRT_ROOT, NCCL_ROOT, CUDAToolkit_ROOT.
set(TENSORRT_ROOT "" CACHE PATH "Where TensorRT (>= 11) or TensorRT-RTX lies: its include/ is needed")
set(NCCL_ROOT "" CACHE PATH "Where NCCL lies, if not in the CUDA toolkit")
if(NOT TRITON_ENABLE_TENSORRT_MULTI_DEVICE)
  message(STATUS "skipped: GPU ranks (cuda, comm/nccl, engine/tensorrt): TRITON_ENABLE_TENSORRT_MULTI_DEVICE is OFF")
  return()
endif()

find_package(CUDAToolkit 12.5)
find_path(NCCL_INCLUDE_DIR nccl.h HINTS ${NCCL_ROOT}/include ${CUDAToolkit_INCLUDE_DIRS})
find_library(NCCL_LIBRARY nccl HINTS ${NCCL_ROOT}/lib ${CUDAToolkit_LIBRARY_DIR})
find_path(TENSORRT_INCLUDE_DIR NvInferRuntime.h
          HINTS ${TENSORRT_ROOT}/include $ENV{TENSORRT_ROOT}/include $ENV{HOME}/.cache/tessera/tensorrt/include)
foreach(needed CUDAToolkit_FOUND NCCL_INCLUDE_DIR NCCL_LIBRARY TENSORRT_INCLUDE_DIR)
  if(NOT ${needed})  # tools/test.sh knows this line
    message(FATAL_ERROR "GPU ranks need CUDA, NCCL and the headers of TensorRT: no ${needed} "
                        "(places to look: CUDAToolkit_ROOT, NCCL_ROOT, TENSORRT_ROOT)")
  endif()
endforeach()

# The runtime goes in statically: the process may hold another version of it (Triton does), handles are the driver's.
add_library(tessera_cudart INTERFACE)
target_include_directories(tessera_cudart SYSTEM INTERFACE ${CUDAToolkit_INCLUDE_DIRS})
target_link_libraries(tessera_cudart INTERFACE CUDA::cudart_static)

add_library(tessera_nccl INTERFACE)
target_include_directories(tessera_nccl SYSTEM INTERFACE ${NCCL_INCLUDE_DIR})
target_link_libraries(tessera_nccl INTERFACE ${NCCL_LIBRARY})

add_library(tessera_tensorrt_headers INTERFACE)
target_include_directories(tessera_tensorrt_headers SYSTEM INTERFACE ${TENSORRT_INCLUDE_DIR})
