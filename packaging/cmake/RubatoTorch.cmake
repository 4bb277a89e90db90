# Imported targets for the libtorch that packaging/setup.sh unpacked. The wheel's own TorchConfig is not used:
# it forces a list of GPU architectures and links everything.
set(RUBATO_TORCH_FOUND FALSE)
if(EXISTS "${RUBATO_DEPS_DIR}/torch/lib/libtorch_cpu.so")
  set(RUBATO_TORCH_FOUND TRUE)
  set(_torch "${RUBATO_DEPS_DIR}/torch")
  set(_nvidia "${RUBATO_DEPS_DIR}/nvidia/cu13/lib")  # libcudart and libcupti, which libtorch_cpu itself needs

  add_library(torch_headers INTERFACE)
  target_include_directories(torch_headers SYSTEM INTERFACE
    "${_torch}/include" "${_torch}/include/torch/csrc/api/include")
  # Names where the loader looks; --allow-shlib-undefined since libtorch's own needs are not ours to resolve.
  target_link_options(torch_headers INTERFACE
    "LINKER:-rpath,${_torch}/lib" "LINKER:-rpath,${_nvidia}" "LINKER:--allow-shlib-undefined" "LINKER:--disable-new-dtags")

  add_library(torch_c10 SHARED IMPORTED)
  set_target_properties(torch_c10 PROPERTIES IMPORTED_LOCATION "${_torch}/lib/libc10.so")
  add_library(torch_cpu SHARED IMPORTED)
  set_target_properties(torch_cpu PROPERTIES IMPORTED_LOCATION "${_torch}/lib/libtorch_cpu.so")
  target_link_libraries(torch_cpu INTERFACE torch_c10 torch_headers)
  add_library(torch::cpu ALIAS torch_cpu)

  if(RUBATO_CUDA)
    add_library(torch_cuda SHARED IMPORTED)
    set_target_properties(torch_cuda PROPERTIES IMPORTED_LOCATION "${_torch}/lib/libtorch_cuda.so")
    add_library(torch_c10_cuda SHARED IMPORTED)
    set_target_properties(torch_c10_cuda PROPERTIES IMPORTED_LOCATION "${_torch}/lib/libc10_cuda.so")
    target_link_libraries(torch_cuda INTERFACE torch_c10_cuda torch_cpu)
    add_library(torch::cuda ALIAS torch_cuda)
  endif()
else()
  message(WARNING "libtorch not found in ${RUBATO_DEPS_DIR}; run packaging/setup.sh. Building only the parts without it.")
endif()
