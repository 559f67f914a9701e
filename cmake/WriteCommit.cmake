# Writes VETTORE_COMMIT for src/bench/machine.cc when it changed: cmake -DSOURCE=... -DOUTPUT=... -P
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --exclude=*
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT commit)
  set(commit unknown)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define VETTORE_COMMIT \"${commit}\"\n" @ONLY)
