# The C and C++ tests. Included by CMakeLists.txt.

add_compile_options(-Wall -Wextra -Werror -pedantic)
if(JWTAUTH_SANITIZE)
  add_compile_options(-fsanitize=${JWTAUTH_SANITIZE} -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${JWTAUTH_SANITIZE})
endif()
if(JWTAUTH_PROFILE STREQUAL dev)
  # The 128 KiB are promised for the shipped library. Unoptimised code needs several times as much.
  add_compile_definitions(SMALL_STACK_KIB=1024)
endif()
find_package(Threads REQUIRED)

# program(NAME SOURCE LIBRARY...): compiles one source, in strict C99 or C++17.
function(program name source)
  add_executable(${name} ${root}/${source})
  target_link_libraries(${name} PRIVATE ${ARGN} Threads::Threads)
  set_target_properties(${name} PROPERTIES
    C_STANDARD 99 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF
    CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
endfunction()

program(conformance tests/c/conformance.c jwtauth::jwtauth)
program(ownership tests/c/ownership.c jwtauth::jwtauth)
program(threads tests/c/threads.c jwtauth::jwtauth)
program(misuse tests/c/misuse.c jwtauth::jwtauth)
program(depth tests/c/depth.c jwtauth::jwtauth)
program(reload tests/c/reload.c ${CMAKE_DL_LIBS})
target_include_directories(reload PRIVATE ${root}/include)
program(fetch tests/c/fetch.c jwtauth::jwtauth)
program(events tests/c/events.c jwtauth::jwtauth)
program(clock tests/c/clock.c jwtauth::jwtauth)
program(herd tests/c/herd.c jwtauth::jwtauth)
program(fork tests/c/fork.c jwtauth::jwtauth)
program(faults tests/c/faults.c jwtauth::jwtauth)
program(sessions tests/c/sessions.c jwtauth::jwtauth)
program(raii tests/cpp/raii.cpp jwtauth::jwtauth)
program(fetch_cpp tests/cpp/fetch.cpp jwtauth::jwtauth)
program(sessions_cpp tests/cpp/sessions.cpp jwtauth::jwtauth)
program(authenticate_c examples/c/authenticate.c jwtauth::jwtauth)
program(authenticate_cpp examples/cpp/authenticate.cpp jwtauth::jwtauth)
program(own_client_c examples/c/own_client.c jwtauth::jwtauth)
program(own_client_cpp examples/cpp/own_client.cpp jwtauth::jwtauth)
program(login_server_c examples/c/login_server.c jwtauth::jwtauth)
program(login_server_cpp examples/cpp/login_server.cpp jwtauth::jwtauth)

# Each header compiles on its own.
foreach(header jwtauth.h jwtauth.hpp)
  foreach(language c cpp)
    if(header STREQUAL jwtauth.hpp AND language STREQUAL c)
      continue()
    endif()
    set(source ${CMAKE_CURRENT_BINARY_DIR}/only_${header}.${language})
    file(CONFIGURE OUTPUT ${source} CONTENT "#include <${header}>\n#include <${header}>\nint main(void) { return 0; }\n")
    add_executable(only_${header}_${language} ${source})
    target_link_libraries(only_${header}_${language} PRIVATE jwtauth::jwtauth)
    set_target_properties(only_${header}_${language} PROPERTIES
      C_STANDARD 99 C_EXTENSIONS OFF CXX_STANDARD 17 CXX_EXTENSIONS OFF)
  endforeach()
endforeach()

add_test(NAME ownership COMMAND ownership)
add_test(NAME threads COMMAND threads)
add_test(NAME misuse COMMAND misuse)
add_test(NAME depth COMMAND depth)
add_test(NAME reload COMMAND reload ${stage}/${shared_library})
add_test(NAME fetch COMMAND fetch)
add_test(NAME events COMMAND events)
add_test(NAME clock COMMAND clock)
add_test(NAME herd COMMAND herd)
add_test(NAME fork COMMAND fork)
add_test(NAME faults COMMAND ${root}/tests/c/served $<TARGET_FILE:faults> ADDRESS)
add_test(NAME sessions COMMAND sessions)
add_test(NAME raii COMMAND raii)
add_test(NAME fetch_cpp COMMAND fetch_cpp)
add_test(NAME sessions_cpp COMMAND sessions_cpp)
add_test(NAME symbols COMMAND ${root}/.ci/symbols ${stage}/${shared_library})

# `make conformance` writes the cases, once for all languages.
add_test(NAME conformance COMMAND conformance ${target_dir}/conformance)

# The examples decide correctly, here and built against an installed copy. So do the programs in the documentation.
add_test(NAME example_c COMMAND ${root}/tests/package/decides $<TARGET_FILE:authenticate_c>)
add_test(NAME example_cpp COMMAND ${root}/tests/package/decides $<TARGET_FILE:authenticate_cpp>)
add_test(NAME own_client_c COMMAND ${root}/tests/package/fetches $<TARGET_FILE:own_client_c>)
add_test(NAME own_client_cpp COMMAND ${root}/tests/package/fetches $<TARGET_FILE:own_client_cpp>)
add_test(NAME login_server_c COMMAND ${root}/tests/package/logs_in $<TARGET_FILE:login_server_c>)
add_test(NAME login_server_cpp COMMAND ${root}/tests/package/logs_in $<TARGET_FILE:login_server_cpp>)
add_test(NAME package COMMAND ${root}/tests/package/consume ${CMAKE_COMMAND} ${CMAKE_BINARY_DIR} ${soname})
add_test(NAME pkgconfig COMMAND ${root}/tests/package/pkgconfig ${CMAKE_COMMAND} ${CMAKE_BINARY_DIR})
add_test(NAME compilers COMMAND ${root}/tests/package/compilers ${root}/include)
add_test(NAME documentation COMMAND ${root}/tests/package/documentation ${CMAKE_BINARY_DIR} ${root}/include
         ${stage}/${shared_library})

# They use one thread and no clock, so .ci/stress does not repeat them.
set_tests_properties(misuse depth conformance package pkgconfig compilers documentation PROPERTIES LABELS once)
