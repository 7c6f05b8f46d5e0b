# Third-party libraries: hf_ext_<name> imported static libraries, built once
# into the cache by deps/build.sh (see deps/README.md).
#
# HF_CACHE (environment or -D) names the cache folder.
set(HF_DEPS_TOOLCHAIN host CACHE STRING "Compiler of the dependencies: host, musl, aarch64 or armhf")
set(HF_DEPENDENCIES mbedtls sqlite llhttp libuv cjson inih)
set(hf_deps_with)
file(STRINGS ${HF_CONFIG_HEADER} HF_HAS_COAP REGEX "CONFIG_HF_COAP 1")
file(STRINGS ${HF_CONFIG_HEADER} HF_HAS_SENSOR REGEX "CONFIG_HF_SENSOR 1")
if(HF_HAS_COAP)
  list(APPEND HF_DEPENDENCIES libcoap)
  set(hf_deps_with --with coap)
endif()

if(HF_CACHE)
  set(ENV{HF_CACHE} ${HF_CACHE})
endif()

execute_process(
  COMMAND ${CMAKE_CURRENT_LIST_DIR}/deps/build.sh
    --toolchain ${HF_DEPS_TOOLCHAIN} ${hf_deps_with} ${HF_DEPENDENCIES}
  OUTPUT_VARIABLE hf_deps_out
  OUTPUT_STRIP_TRAILING_WHITESPACE
  RESULT_VARIABLE hf_deps_result)
if(hf_deps_result)
  message(FATAL_ERROR "A dependency is missing; the lines above say which, and what to do")
endif()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  ${CMAKE_CURRENT_LIST_DIR}/deps/build.sh
  ${CMAKE_CURRENT_LIST_DIR}/deps/lock.txt
  ${CMAKE_CURRENT_LIST_DIR}/deps/libcoap_defines.h
  ${CMAKE_CURRENT_LIST_DIR}/deps/mbedtls_config.h
  ${CMAKE_CURRENT_LIST_DIR}/deps/mbedtls_config_coap.h)

string(REPLACE "\n" ";" hf_deps_out "${hf_deps_out}")
foreach(line IN LISTS hf_deps_out)
  if(NOT line MATCHES "^([a-z0-9]+) (.+)$")
    message(FATAL_ERROR "deps/build.sh printed a line that is not `name prefix`: ${line}")
  endif()
  set(name ${CMAKE_MATCH_1})
  set(prefix ${CMAKE_MATCH_2})
  set(archive ${name})
  if(name STREQUAL "sqlite")
    set(archive sqlite3)
  elseif(name STREQUAL "libuv")
    set(archive uv)
  elseif(name STREQUAL "libcoap")
    set(archive coap)
  endif()
  add_library(hf_ext_${name} STATIC IMPORTED GLOBAL)
  set_target_properties(hf_ext_${name} PROPERTIES
    IMPORTED_LOCATION ${prefix}/lib/lib${archive}.a
    INTERFACE_INCLUDE_DIRECTORIES ${prefix}/include)
endforeach()

find_package(Threads REQUIRED)
set_property(TARGET hf_ext_libuv PROPERTY INTERFACE_LINK_LIBRARIES Threads::Threads ${CMAKE_DL_LIBS})
set_property(TARGET hf_ext_sqlite PROPERTY INTERFACE_LINK_LIBRARIES Threads::Threads m)
set_property(TARGET hf_ext_cjson PROPERTY INTERFACE_LINK_LIBRARIES m)
if(TARGET hf_ext_libcoap)
  set_property(TARGET hf_ext_libcoap PROPERTY INTERFACE_LINK_LIBRARIES hf_ext_mbedtls)
endif()
