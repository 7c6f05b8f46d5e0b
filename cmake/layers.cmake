# Who may include whom: the layer table, and the functions that hold it.
#
#   hf_layer(<folder> SOURCES a.c b.c ...)      a static library hf_<folder>
#   hf_program(<name> ROW <folder> SOURCES ...) a program with that row's view
#
# Code includes with the folder's name ("http/fields.h", "holdfast/port.h").
# To make a row an include path, each folder has a root of its own in the
# build tree, include/<folder>/, that holds one link <folder> to the sources;
# a target sees the roots of its row and no others. "err" is the root that
# holds holdfast/err.h alone.

# hf_row(<folder> MAY folders... EXT libraries... [POSIX])
# POSIX: the folder talks to the operating system (gnu11, _GNU_SOURCE).
function(hf_row folder)
  cmake_parse_arguments(ROW "POSIX" "" "MAY;EXT" ${ARGN})
  set_property(GLOBAL PROPERTY HF_ROW_${folder}_MAY "${ROW_MAY}")
  set_property(GLOBAL PROPERTY HF_ROW_${folder}_EXT "${ROW_EXT}")
  set_property(GLOBAL PROPERTY HF_ROW_${folder}_POSIX "${ROW_POSIX}")
  set_property(GLOBAL PROPERTY HF_ROW_${folder} TRUE)
endfunction()

set(HF_CORE_LAYERS
  base http store net coap cache queue worker push sync fetch ingress sensor agent)

hf_row(base    MAY err)
hf_row(http    MAY err base                                             EXT llhttp)
hf_row(store   MAY holdfast base                                        EXT sqlite mbedtls)
hf_row(net     MAY holdfast base http                                   EXT mbedtls cjson)
hf_row(coap    MAY holdfast base http net                              EXT libcoap mbedtls)
hf_row(cache   MAY holdfast base http store)
hf_row(queue   MAY holdfast base http store)
hf_row(worker  MAY holdfast base http store                             EXT cjson)
hf_row(push    MAY holdfast base http store                             EXT mbedtls)
hf_row(sync    MAY holdfast base http store net queue                   EXT cjson)
hf_row(fetch   MAY holdfast base http store net cache queue worker sync)
hf_row(ingress MAY holdfast base http store net cache queue worker push sync fetch  EXT cjson)
hf_row(sensor  MAY holdfast base http store net coap cache queue worker sync fetch ingress  EXT mbedtls)
hf_row(agent   MAY holdfast base http store net coap cache queue worker push sync fetch ingress sensor
               EXT inih cjson)

hf_row(port/linux    MAY holdfast base agent             EXT libuv         POSIX)
hf_row(port/template MAY holdfast base agent)
hf_row(cli           MAY holdfast base http              EXT cjson         POSIX)
hf_row(host-sim      MAY holdfast base http net coap sensor agent    EXT sqlite cjson mbedtls  POSIX)

# Tests see every folder and library.
hf_row(tests MAY holdfast ${HF_CORE_LAYERS} EXT ${HF_DEPENDENCIES} POSIX)

# --- roots ------------------------------------------------------------------

function(hf_make_root root link target)
  set(at ${CMAKE_BINARY_DIR}/include/${root}/${link})
  get_filename_component(parent ${at} DIRECTORY)
  file(MAKE_DIRECTORY ${parent})
  if(NOT IS_SYMLINK ${at})
    file(CREATE_LINK ${target} ${at} SYMBOLIC)
  endif()
endfunction()

foreach(layer IN LISTS HF_CORE_LAYERS ITEMS cli)
  hf_make_root(${layer} ${layer} ${CMAKE_SOURCE_DIR}/firmware/${layer})
endforeach()
hf_make_root(holdfast holdfast ${CMAKE_SOURCE_DIR}/firmware/include/holdfast)
hf_make_root(err holdfast/err.h ${CMAKE_SOURCE_DIR}/firmware/include/holdfast/err.h)
hf_make_root(port/linux port/linux ${CMAKE_SOURCE_DIR}/firmware/port/linux)
hf_make_root(port/template port/template ${CMAKE_SOURCE_DIR}/firmware/port/template)

# The include roots of a row, its own folder first.
function(hf_row_roots folder out)
  get_property(known GLOBAL PROPERTY HF_ROW_${folder})
  if(NOT known)
    message(FATAL_ERROR "No row for `${folder}` in cmake/layers.cmake; add one")
  endif()
  get_property(may GLOBAL PROPERTY HF_ROW_${folder}_MAY)
  set(roots)
  if(folder STREQUAL "host-sim")
    list(APPEND roots ${CMAKE_SOURCE_DIR}/host-sim)
  elseif(NOT folder STREQUAL "tests")
    list(APPEND roots ${CMAKE_BINARY_DIR}/include/${folder})
  endif()
  foreach(other IN LISTS may)
    list(APPEND roots ${CMAKE_BINARY_DIR}/include/${other})
  endforeach()
  set(${out} ${roots} PARENT_SCOPE)
endfunction()

# Compile settings of a target that stands in a row.
function(hf_apply_row target folder)
  hf_row_roots(${folder} roots)
  get_property(ext GLOBAL PROPERTY HF_ROW_${folder}_EXT)
  get_property(posix GLOBAL PROPERTY HF_ROW_${folder}_POSIX)
  target_include_directories(${target} PRIVATE ${roots} ${CMAKE_BINARY_DIR}/generated)
  foreach(library IN LISTS ext)
    target_include_directories(${target} SYSTEM PRIVATE
      $<TARGET_PROPERTY:hf_ext_${library},INTERFACE_INCLUDE_DIRECTORIES>)
  endforeach()
  target_compile_options(${target} PRIVATE
    -include ${HF_CONFIG_HEADER} $<TARGET_PROPERTY:hf_warnings,INTERFACE_COMPILE_OPTIONS>)
  set_property(TARGET ${target} APPEND PROPERTY HF_EXT ${ext})
  if(posix)
    set_target_properties(${target} PROPERTIES C_EXTENSIONS ON)
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
  endif()
endfunction()

# --- layers -----------------------------------------------------------------

function(hf_layer folder)
  cmake_parse_arguments(LAYER "" "" "SOURCES" ${ARGN})
  if(NOT LAYER_SOURCES OR LAYER_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "hf_layer(${folder} SOURCES a.c b.c ...): no sources, or words before SOURCES")
  endif()
  string(REPLACE "/" "_" target "hf_${folder}")
  add_library(${target} STATIC ${LAYER_SOURCES})
  hf_apply_row(${target} ${folder})
  if(folder IN_LIST HF_CORE_LAYERS)
    set_property(GLOBAL APPEND PROPERTY HF_CORE_TARGETS ${target})
  endif()
endfunction()

# hf_core: every core library that exists and the libraries they stand on, as
# one link group, because Mbed TLS calls back into net.
function(hf_finish_core)
  get_property(targets GLOBAL PROPERTY HF_CORE_TARGETS)
  set(items ${targets})
  set(used)
  foreach(target IN LISTS targets)
    get_property(ext TARGET ${target} PROPERTY HF_EXT)
    list(APPEND used ${ext})
  endforeach()
  list(REMOVE_DUPLICATES used)
  foreach(library IN LISTS used)
    list(APPEND items hf_ext_${library})
  endforeach()
  add_library(hf_core INTERFACE)
  if(items)
    list(JOIN items "," group)
    target_link_libraries(hf_core INTERFACE "$<LINK_GROUP:RESCAN,${group}>")
  endif()
endfunction()

# hf_program(<name> ROW <folder> SOURCES ... [LIBS ...] [NO_CORE])
# Links LIBS, the core (unless NO_CORE) and the row's external libraries.
function(hf_program name)
  cmake_parse_arguments(PROGRAM "NO_CORE" "ROW" "SOURCES;LIBS" ${ARGN})
  if(NOT PROGRAM_ROW OR NOT PROGRAM_SOURCES OR PROGRAM_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "hf_program(${name} ROW folder SOURCES ...): ROW or SOURCES is missing")
  endif()
  add_executable(${name} ${PROGRAM_SOURCES})
  hf_apply_row(${name} ${PROGRAM_ROW})
  target_link_libraries(${name} PRIVATE ${PROGRAM_LIBS})
  if(NOT PROGRAM_NO_CORE)
    target_link_libraries(${name} PRIVATE hf_core)
  endif()
  get_property(ext TARGET ${name} PROPERTY HF_EXT)
  foreach(library IN LISTS ext)
    target_link_libraries(${name} PRIVATE hf_ext_${library})
  endforeach()
endfunction()
