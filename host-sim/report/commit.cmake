# cmake -DOUT=commit.h -DFOLDER=<root> -P commit.cmake
# writes what the tree was built from: the commit, "+" when the tree differs.
execute_process(COMMAND git describe --always --dirty=+ --abbrev=10 --exclude=*
  WORKING_DIRECTORY ${FOLDER} OUTPUT_VARIABLE commit ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT commit MATCHES "^[0-9a-f]+\\+?$")
  set(commit "unknown")
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT "#define SIM_COMMIT \"${commit}\"\n")
