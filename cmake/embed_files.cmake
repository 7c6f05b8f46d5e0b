# cmake -DOUT=data.c -DHEADER=live/assets.h -DPREFIX=live -DFOLDER=<folder of the files> -DFILES="panel/a;control/b"
#       [-DPACKED=ON] -P embed_files.cmake
# writes the files as <prefix>_assets[], of struct <prefix>_asset in the header. A packed one has, behind path,
# bytes and length, the same gzipped and the first half of the bytes' SHA-256.
set(text "/* Made by embed_files.cmake. */\n#include \"${HEADER}\"\n\n")
set(table "")
set(i 0)

function(append_bytes name file out)
  file(READ ${file} bytes HEX)
  if(name MATCHES "^z") # no time in the gzip header: every build makes the same
    string(SUBSTRING ${bytes} 0 8 begin)
    string(SUBSTRING ${bytes} 16 -1 end)
    set(bytes ${begin}00000000${end})
  endif()
  string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  set(${out} "${${out}}static const unsigned char ${name}[] = {\n${bytes}\n};\n" PARENT_SCOPE)
endfunction()

foreach(file IN LISTS FILES)
  get_filename_component(path ${file} ABSOLUTE BASE_DIR ${FOLDER})
  set(name ${file})
  if(IS_ABSOLUTE ${file})
    get_filename_component(name ${file} NAME)
  endif()
  append_bytes(a${i} ${path} text)
  set(row "\"${name}\", a${i}, sizeof(a${i})")
  if(PACKED)
    get_filename_component(name ${file} NAME)
    set(packed ${OUT}.${name}.gz)
    file(ARCHIVE_CREATE OUTPUT ${packed} PATHS ${path}
      FORMAT raw COMPRESSION GZip COMPRESSION_LEVEL 9)
    append_bytes(z${i} ${packed} text)
    file(REMOVE ${packed})
    file(SHA256 ${path} hash)
    string(SUBSTRING ${hash} 0 32 hash)
    string(APPEND row ", z${i}, sizeof(z${i}), \"${hash}\"")
  endif()
  string(APPEND table "\t{ ${row} },\n")
  math(EXPR i "${i} + 1")
endforeach()
string(APPEND text "\nconst struct ${PREFIX}_asset ${PREFIX}_assets[] = {\n${table}};\n"
  "const size_t ${PREFIX}_assets_n = ${i};\n")
file(WRITE ${OUT} "${text}")
