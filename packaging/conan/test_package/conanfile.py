"""Builds the C example with the package, and decides: the token of RFC 7515, A.3."""

from pathlib import Path

from conan import ConanFile
from conan.tools.build import can_run
from conan.tools.cmake import CMake, cmake_layout


class Test(ConanFile):
    settings = "os", "arch", "compiler", "build_type"
    generators = "CMakeDeps", "CMakeToolchain"

    def requirements(self):
        self.requires(self.tested_reference_str)

    def layout(self):
        cmake_layout(self)

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def test(self):
        if can_run(self):
            decides = Path(self.source_folder, "../../../tests/package/decides").resolve()
            self.run(f'"{decides}" "{Path(self.cpp.build.bindir, "authenticate").resolve()}"', env="conanrun")
