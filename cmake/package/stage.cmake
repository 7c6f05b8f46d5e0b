# What CPack packs, as Debian has it: texts compressed, programs without the compiler's
# name, modes and times that do not depend on who built it and when.
set(root ${CPACK_TEMPORARY_DIRECTORY})
function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(GLOB texts ${root}/usr/share/man/man*/*.[158] ${root}/usr/share/doc/holdfast/changelog)
run(gzip -9nf ${texts})
run(${CPACK_HF_STRIP} --remove-section=.comment ${root}/usr/bin/holdfast ${root}/usr/sbin/holdfastd)
run(chmod -R u=rwX,go=rX ${root})
if(DEFINED ENV{SOURCE_DATE_EPOCH})
  run(find ${root} -exec touch -h -d @$ENV{SOURCE_DATE_EPOCH} {} +)
endif()
