# The libraries of Debian 12 that the rooms link; scripts/install-dependencies installs them.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(absl REQUIRED)
find_package(Protobuf REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(RocksDB CONFIG REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
pkg_check_modules(OPENBLAS REQUIRED IMPORTED_TARGET openblas)
pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
find_package(OpenMP REQUIRED)  # FAISS links it and does not look for it.
find_package(faiss CONFIG REQUIRED)  # A static library in Debian: linked only where it is used.
find_package(HDF5 QUIET COMPONENTS C)  # Optional: benchmark files of ann-benchmarks.
if(VETTORE_TESTS)
  find_package(GTest REQUIRED)
endif()
