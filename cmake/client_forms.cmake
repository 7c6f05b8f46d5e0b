# cmake -DIN=client.js -DMODULE=out/client.js -DCLASSIC=out/worker.js -P client_forms.cmake
# writes the page's library as it is served: without the comments that have a line of their own, as the module that it
# is, and as a script for importScripts(), which leaves the module's default export in self.holdfast.
file(READ ${IN} text)
string(REGEX MATCH "^[^\n]*\n[^\n]*\n" head "${text}")
string(LENGTH "${head}" length)
string(SUBSTRING "${text}" ${length} -1 body)
string(REGEX REPLACE "\n *//[^\n]*" "" body "\n${body}")
string(SUBSTRING "${body}" 1 -1 body)
file(WRITE ${MODULE} "${head}${body}")

string(REGEX REPLACE "\nexport (class|const) " "\n\\1 " classic "${body}")
string(REPLACE "\nexport default " "\nreturn " classic "${classic}")
if(classic MATCHES "\n *(export|import)[ {(]")
  message(FATAL_ERROR "${IN}: an export or import that a script cannot have: ${CMAKE_MATCH_0}")
endif()
file(WRITE ${CLASSIC} "${head}self.holdfast = (() => {\n${classic}})();\n")
