# The musl compilers are made by the dependency step (deps/build.sh).
if(NOT DEFINED ENV{HF_MUSL_CC_${HF_TOOLCHAIN}})
  execute_process(
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/deps/build.sh --toolchain ${HF_TOOLCHAIN} toolchain
    OUTPUT_VARIABLE hf_out
    OUTPUT_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE hf_result)
  if(hf_result)
    message(FATAL_ERROR "The ${HF_TOOLCHAIN} compiler could not be made; see the lines above")
  endif()
  string(REGEX REPLACE "^toolchain " "" hf_out "${hf_out}")
  set(ENV{HF_MUSL_CC_${HF_TOOLCHAIN}} ${hf_out}/bin/cc)
endif()
set(CMAKE_C_COMPILER $ENV{HF_MUSL_CC_${HF_TOOLCHAIN}})
