# hf_embed(<out.c> HEADER room/assets.h PREFIX name FILES a b ... [PACKED])
# Makes the C file from the files of this folder, or elsewhere when their paths are absolute, at build time
# (embed_files.cmake says what is in it).
set(HF_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed_files.cmake)

function(hf_embed out)
  cmake_parse_arguments(EMBED "PACKED" "HEADER;PREFIX" "FILES" ${ARGN})
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DHEADER=${EMBED_HEADER} -DPREFIX=${EMBED_PREFIX}
      -DFOLDER=${CMAKE_CURRENT_SOURCE_DIR} "-DFILES=${EMBED_FILES}" -DPACKED=${EMBED_PACKED}
      -P ${HF_EMBED_SCRIPT}
    DEPENDS ${EMBED_FILES} ${HF_EMBED_SCRIPT} VERBATIM)
endfunction()
