"""The recipe for Conan 2: builds the library with cargo, from this checkout. `conan create packaging/conan`."""

import re
import sys
from pathlib import Path

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.cmake import CMake, cmake_layout
from conan.tools.files import copy, load, rm, rmdir

required_conan_version = ">=2.0"

# Conan's names of the machines, and Rust's.
MACHINES = {"x86_64": "x86_64", "armv8": "aarch64"}


class Jwtauth(ConanFile):
    name = "jwtauth"
    description = "JWT authentication as a library: who sent this token, and what may they do?"
    license = "MIT OR Apache-2.0"
    topics = ("jwt", "authentication", "authorization", "oidc", "security")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "sqlite": [True, False]}
    default_options = {"shared": False, "sqlite": False}
    generators = "CMakeToolchain"

    def set_version(self):
        manifest = load(self, Path(self.recipe_folder, "../../Cargo.toml"))
        self.version = re.search(r'\[workspace\.package\]\nversion = "([^"]+)"', manifest)[1]

    def export_sources(self):
        root = Path(self.recipe_folder, "../..")
        for pattern in ("Cargo.*", "LICENSE-*", "README.md", ".cargo/*", "bindings/*/Cargo.toml", "bindings/*/src/*", "bindings/*/build.rs",
                        "cmake/*", "crates/*", "include/*", "packaging/sbom.py"):
            copy(self, pattern, root, self.export_sources_folder)

    def configure(self):
        # The interface is C.
        self.settings.rm_safe("compiler.libcxx")
        self.settings.rm_safe("compiler.cppstd")

    def validate(self):
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("jwtauth is made for Linux; its CMake files do not know the libraries of other systems")
        if str(self.settings.arch) not in MACHINES:
            raise ConanInvalidConfiguration(f"jwtauth is made for {' and '.join(MACHINES)}")

    def layout(self):
        cmake_layout(self)

    def build(self):
        cmake = CMake(self)
        cmake.configure({"JWTAUTH_FEATURES": "sqlite" if self.options.sqlite else ""}, build_script_folder="cmake")
        cmake.build()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE-*", self.source_folder, Path(self.package_folder, "licenses"))
        features = ["--features", "sqlite"] if self.options.sqlite else []
        target = MACHINES[str(self.settings.arch)] + "-unknown-linux-gnu"
        script = [sys.executable, "packaging/sbom.py", "jwtauth-ffi", "--target", target, "--name", "jwtauth", *features]
        lists = Path(self.package_folder, "res/jwtauth.cdx.json")
        lists.parent.mkdir()
        self.run(" ".join([*(f'"{part}"' for part in script), ">", f'"{lists}"']), cwd=self.source_folder)
        # Conan writes its own files for pkg-config and CMake.
        lib = Path(self.package_folder, "lib")
        rmdir(self, lib / "cmake")
        rmdir(self, lib / "pkgconfig")
        rm(self, "*.a" if self.options.shared else "*.so*", lib)

    def package_info(self):
        self.cpp_info.libs = ["jwtauth"]
        self.cpp_info.set_property("cmake_target_name", "jwtauth::jwtauth")
        self.cpp_info.set_property("pkg_config_name", "jwtauth")
        if not self.options.shared:
            self.cpp_info.system_libs = ["pthread", "dl", "m", "rt", "util"]
