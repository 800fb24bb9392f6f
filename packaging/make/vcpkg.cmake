# Stand-ins for the functions of vcpkg that packaging/vcpkg/portfile.cmake calls, which do the same in one folder, WORK.

cmake_minimum_required(VERSION 3.21)

set(PORT jwtauth)
set(FEATURES core)
set(VCPKG_TARGET_ARCHITECTURE x64)
set(CURRENT_PORT_DIR ${PORT_DIR})
set(CURRENT_PACKAGES_DIR ${WORK}/package)

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

function(vcpkg_cmake_configure)
  cmake_parse_arguments(PARSE_ARGV 0 given "" SOURCE_PATH OPTIONS)
  if(given_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "unknown arguments: ${given_UNPARSED_ARGUMENTS}")
  endif()
  run(${CMAKE_COMMAND} -S ${given_SOURCE_PATH} -B ${WORK}/build -DCMAKE_INSTALL_PREFIX=${CURRENT_PACKAGES_DIR}
      -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_BUILD_TYPE=Release ${given_OPTIONS})
endfunction()

function(vcpkg_cmake_install)
  run(${CMAKE_COMMAND} --build ${WORK}/build --target install)
endfunction()

# vcpkg moves the files of CMake to share/, and corrects the paths in them.
function(vcpkg_cmake_config_fixup)
  cmake_parse_arguments(PARSE_ARGV 0 given "" CONFIG_PATH "")
  file(GLOB configs ${CURRENT_PACKAGES_DIR}/${given_CONFIG_PATH}/*Config.cmake)
  if(NOT configs)
    message(FATAL_ERROR "${given_CONFIG_PATH} has no configuration")
  endif()
  file(MAKE_DIRECTORY ${CURRENT_PACKAGES_DIR}/share)
  file(RENAME ${CURRENT_PACKAGES_DIR}/${given_CONFIG_PATH} ${CURRENT_PACKAGES_DIR}/share/${PORT})
  foreach(config ${CURRENT_PACKAGES_DIR}/share/${PORT}/jwtauthConfig.cmake)
    file(READ ${config} text)
    string(REPLACE "/../../../" "/../../" text "${text}")
    file(WRITE ${config} "${text}")
  endforeach()
endfunction()

function(vcpkg_fixup_pkgconfig)
  if(NOT EXISTS ${CURRENT_PACKAGES_DIR}/lib/pkgconfig/jwtauth.pc)
    message(FATAL_ERROR "the package has no file for pkg-config")
  endif()
endfunction()

function(vcpkg_find_acquire_program name)
  find_program(${name} python3 REQUIRED)
endfunction()

function(vcpkg_install_copyright)
  cmake_parse_arguments(PARSE_ARGV 0 given "" "" FILE_LIST)
  foreach(path ${given_FILE_LIST})
    file(READ ${path} text)
    file(APPEND ${CURRENT_PACKAGES_DIR}/share/${PORT}/copyright "${text}\n")
  endforeach()
endfunction()

include(${PORT_DIR}/portfile.cmake)
