# The port for vcpkg, as an overlay of this checkout: vcpkg install jwtauth --overlay-ports=packaging/vcpkg
# cargo builds the library, so Rust must be installed. The package has the shared and the static library, as its CMake targets do.

get_filename_component(SOURCE_PATH "${CURRENT_PORT_DIR}/../.." ABSOLUTE)
find_program(CARGO cargo PATHS "$ENV{HOME}/.cargo/bin" REQUIRED)

set(features "")
if("sqlite" IN_LIST FEATURES)
    set(features sqlite)
endif()

# The builds for debugging and for release have the same library: its own code has no debug information to offer.
set(VCPKG_BUILD_TYPE release)
vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}/cmake"
    OPTIONS "-DCARGO=${CARGO}" "-DJWTAUTH_FEATURES=${features}"
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/jwtauth)
vcpkg_fixup_pkgconfig()

# What is in the library: the crates, and the code in C of some of them. vcpkg's own SBOM has only this port.
vcpkg_find_acquire_program(PYTHON3)
set(machine x86_64)
if(VCPKG_TARGET_ARCHITECTURE STREQUAL "arm64")
    set(machine aarch64)
endif()
execute_process(
    COMMAND "${PYTHON3}" packaging/sbom.py jwtauth-ffi --target ${machine}-unknown-linux-gnu --name jwtauth "--features=${features}"
    WORKING_DIRECTORY "${SOURCE_PATH}"
    OUTPUT_FILE "${CURRENT_PACKAGES_DIR}/share/${PORT}/jwtauth.cdx.json"
    COMMAND_ERROR_IS_FATAL ANY
)

file(INSTALL "${CURRENT_PORT_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE-MIT" "${SOURCE_PATH}/LICENSE-APACHE")
