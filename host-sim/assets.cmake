# cmake -DOUT=assets_data.c -DROOM=live -DFOLDER=<host-sim/live> -DFILES="panel/a;control/b" -P assets.cmake
# writes the files as the table of <room>/assets.h.
set(text "/* Made by assets.cmake. */\n#include \"${ROOM}/assets.h\"\n\n")
set(table "")
set(i 0)
foreach(file IN LISTS FILES)
  file(READ ${FOLDER}/${file} bytes HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND text "static const unsigned char a${i}[] = {\n${bytes}\n};\n")
  string(APPEND table "\t{ \"${file}\", a${i}, sizeof(a${i}) },\n")
  math(EXPR i "${i} + 1")
endforeach()
string(APPEND text "\nconst struct ${ROOM}_asset ${ROOM}_assets[] = {\n${table}};\n"
  "const size_t ${ROOM}_assets_n = ${i};\n")
file(WRITE ${OUT} "${text}")
