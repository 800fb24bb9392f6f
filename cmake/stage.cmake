# Runs after cargo. Arranges the libraries as they are installed, and writes the files that depend on their link flags.
# Variables: output, stage, shared_library, soname, version, description, prefix, libdir, includedir.

cmake_minimum_required(VERSION 3.21)

file(MAKE_DIRECTORY ${stage})
configure_file(${output}/libjwtauth.so ${stage}/${shared_library} COPYONLY)
file(CHMOD ${stage}/${shared_library} PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
configure_file(${output}/libjwtauth.a ${stage}/libjwtauth.a COPYONLY)
file(CREATE_LINK ${shared_library} ${stage}/${soname} SYMBOLIC)
file(CREATE_LINK ${soname} ${stage}/libjwtauth.so SYMBOLIC)

# The system libraries that the static library needs, as rustc reports them. The C compiler adds its own run-time libraries.
file(READ ${output}/libjwtauth.native-libraries link_flags)
string(STRIP "${link_flags}" link_flags)
separate_arguments(link_flags)
list(REMOVE_ITEM link_flags -lgcc_s -lc)
list(TRANSFORM link_flags REPLACE "^-l" "" OUTPUT_VARIABLE link_libraries)
list(JOIN link_flags " " link_flags)

file(CONFIGURE OUTPUT ${stage}/jwtauthLinkLibraries.cmake CONTENT "set(jwtauth_LINK_LIBRARIES \"${link_libraries}\")\n")

# An installed tree can be moved, because its prefix is relative to jwtauth.pc. This is not possible if the libraries have a
# fixed place.
if(NOT IS_ABSOLUTE ${libdir})
  file(RELATIVE_PATH up /${libdir}/pkgconfig /)
  string(REGEX REPLACE "/$" "" up "${up}")
  set(prefix "\${pcfiledir}/${up}")
endif()
foreach(folder libdir includedir)
  if(NOT IS_ABSOLUTE ${${folder}})
    set(${folder} "\${prefix}/${${folder}}")
  endif()
endforeach()
configure_file(${CMAKE_CURRENT_LIST_DIR}/jwtauth.pc.in ${stage}/jwtauth.pc @ONLY)
