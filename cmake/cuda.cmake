# CUDA and the TensorRT headers make the TensorRT engine; with NCCL and -DTRITON_ENABLE_TENSORRT_MULTI_DEVICE=ON it runs on
# several GPUs. OFF: no NCCL is looked for, and one GPU is served where CUDA and the headers are found. TensorRT's library
# is opened at run time, so a machine without it builds (and without a GPU compiles) everything here.
# Places to look beside the usual ones: TENSORRT_ROOT, NCCL_ROOT, CUDAToolkit_ROOT, as environment variables, too.
set(TENSORRT_ROOT "" CACHE PATH "Where TensorRT (>= 11) or TensorRT-RTX lies: its include/ is needed")
set(NCCL_ROOT "" CACHE PATH "Where NCCL lies, if not in the CUDA toolkit")
find_path(TENSORRT_INCLUDE_DIR NvInferRuntime.h
          HINTS ${TENSORRT_ROOT}/include $ENV{TENSORRT_ROOT}/include $ENV{HOME}/.cache/tessera/tensorrt/include)
if(TRITON_ENABLE_TENSORRT_MULTI_DEVICE)
  find_package(CUDAToolkit 12.5)
  find_path(NCCL_INCLUDE_DIR nccl.h HINTS ${NCCL_ROOT}/include $ENV{NCCL_ROOT}/include ${CUDAToolkit_INCLUDE_DIRS})
  find_library(NCCL_LIBRARY NAMES nccl libnccl.so.2 HINTS ${NCCL_ROOT}/lib $ENV{NCCL_ROOT}/lib ${CUDAToolkit_LIBRARY_DIR})
  foreach(needed CUDAToolkit_FOUND NCCL_INCLUDE_DIR NCCL_LIBRARY TENSORRT_INCLUDE_DIR)
    if(NOT ${needed})  # tools/test.sh knows this line
      message(FATAL_ERROR "GPU ranks need CUDA, NCCL and the headers of TensorRT: no ${needed} "
                          "(places to look: CUDAToolkit_ROOT, NCCL_ROOT, TENSORRT_ROOT)")
    endif()
  endforeach()
  add_library(tessera_nccl INTERFACE)
  target_include_directories(tessera_nccl SYSTEM INTERFACE ${NCCL_INCLUDE_DIR})
  target_link_libraries(tessera_nccl INTERFACE ${NCCL_LIBRARY})
else()
  find_package(CUDAToolkit 12.5 QUIET)
  if(NOT CUDAToolkit_FOUND OR NOT TENSORRT_INCLUDE_DIR)
    message(STATUS "skipped: GPU ranks (cuda, engine/tensorrt): CUDA or the TensorRT headers were not found")
    return()
  endif()
  message(STATUS "TensorRT on one GPU; on several: TRITON_ENABLE_TENSORRT_MULTI_DEVICE is OFF")
endif()
set(TESSERA_WITH_TENSORRT ON)

# The runtime goes in statically: the process may hold another version of it (Triton does), handles are the driver's.
add_library(tessera_cudart INTERFACE)
target_include_directories(tessera_cudart SYSTEM INTERFACE ${CUDAToolkit_INCLUDE_DIRS})
target_link_libraries(tessera_cudart INTERFACE CUDA::cudart_static)

add_library(tessera_tensorrt_headers INTERFACE)
target_include_directories(tessera_tensorrt_headers SYSTEM INTERFACE ${TENSORRT_INCLUDE_DIR})
