// The C library, under one name on every system.
//
// Where a file has a function of the same name, it writes the module's: `ResidualPlatform.write`.

#if canImport(Glibc)
  @_exported import Glibc
#elseif canImport(Musl)
  @_exported import Musl
#else
  @_exported import Darwin
#endif
