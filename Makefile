# Tidemark's build. `make help` lists the targets.
# A new .c, .sql, .html file or test needs no edit here: folders are read by wildcard.

VERSION := 0.1.0

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash

CC := gcc
PERL := perl

# B holds the objects of one kind of build (plain, or with a sanitizer); GEN is shared by all.
B := build
GEN := build/gen
# A comma list for -fsanitize=, or empty; COVERAGE=1 counts lines.
SANITIZE :=
COVERAGE :=

# ---- flags ----

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
    -Wmissing-prototypes -Wwrite-strings -Wcast-qual -Wformat=2 -Wundef -Wvla \
    -Wimplicit-fallthrough -Werror
LINK_FLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
ifneq ($(SANITIZE),)
    MODE_FLAGS := -O1 -g1 -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fPIE
    LINK_FLAGS += -fsanitize=$(SANITIZE)
else ifneq ($(COVERAGE),)
    MODE_FLAGS := -O0 -g --coverage -fPIE -Wno-format-truncation
    LINK_FLAGS += --coverage
else
    MODE_FLAGS := -O2 -g -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fPIE
endif

# Asked once, and not before something is compiled: deps-run may have to install pkg-config first.
PACKAGES := libpq libcurl libsodium libcrypto zlib libzstd
PACKAGE_FLAGS = $(eval PACKAGE_FLAGS := $$(patsubst -I%,-isystem%,$$(shell pkg-config --cflags $(PACKAGES))))$(PACKAGE_FLAGS)
LIBS = $(eval LIBS := $$(shell pkg-config --libs $(PACKAGES)) -lfcgi -lsnappy -lm -pthread)$(LIBS)

BANNED := $(wildcard app/base/banned.h)
CFLAGS = -std=gnu17 -D_GNU_SOURCE $(WARNINGS) $(MODE_FLAGS) -pthread -Iapp -Ibuild $(PACKAGE_FLAGS) $(EXTRA_CFLAGS)
COMPILE = $(CC) $(CFLAGS) $(BANNED:%=-include %) -MMD -MP

# ---- files ----

GENERATED := $(addprefix $(GEN)/,queries.c migrations.c $(if $(wildcard templates/*.html),templates.c) assets.c)
GENERATED_HEADERS := $(GENERATED:.c=.h) $(GEN)/version.h
SOURCES := $(wildcard app/*/*.c)
OBJECTS := $(SOURCES:app/%.c=$(B)/obj/%.o) $(GENERATED:$(GEN)/%.c=$(B)/obj/gen/%.o)
# What parses bytes from outside, and what that needs: all that fuzzing builds.
PARSERS := $(filter $(foreach layer,base db parquet http auth domain ingest,$(B)/obj/$(layer)/%) $(B)/obj/gen/queries.o,$(OBJECTS))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(wildcard tests/fuzz/*.c))
BENCHES := $(patsubst tests/bench/%.c,$(B)/tests/bench/%,$(wildcard tests/bench/*.c))

.PHONY: all objects unit-tests benches fuzzers generated help run test bench soak clean lint fmt \
    sanitize sanitize-thread coverage fuzz deps-run deps-test deps-lint FORCE

all: $(B)/tidemark           ## build/tidemark, the one binary (the default)
objects: $(OBJECTS) $(B)/obj/main.o
unit-tests: $(UNIT_TESTS)
fuzzers: $(FUZZERS)
benches: $(BENCHES)
generated: $(GENERATED) $(GENERATED_HEADERS)

help:                        ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' Makefile | while IFS=$$'\t' read -r name what; \
	    do printf '  make %-16s %s\n' "$$name" "$$what"; done

# ---- what people run ----

# Packages first, then the build in a make of its own, which finds them; a core each.
JOBS ?= $(shell nproc)
BUILD = $(MAKE) --no-print-directory --jobs=$(JOBS)

run: deps-run                ## install what is missing, build, serve in the foreground
	@$(BUILD) all
	@exec deploy/run

test: deps-test              ## build and run every test; TESTS="paths" for some of them
	@$(BUILD) all unit-tests benches
	@$(if $(or $(filter fuzz tests/fuzz/%,$(TESTS)),$(if $(TESTS),,all)),$(if $(HAS_FUZZER),$(BUILD) $(FUZZ_BUILD) fuzzers))
	@TIDEMARK_BIN=$(abspath $(B)/tidemark) TIDEMARK_BUILD=$(B) FUZZ_SECONDS=$(FUZZ_SECONDS) \
	    tests/run $(TESTS)

bench: deps-test             ## measure a throw-away stack; figures go to build/bench/
	@$(BUILD) all benches
	@TIDEMARK_BIN=$(abspath $(B)/tidemark) TIDEMARK_BUILD=$(B) $(PERL) tests/bench/run.pl $(BENCH)

soak: deps-test              ## 200 faults at random, on each engine, 200 of archivers, overload, 2 GiB and 16 times 1 to MinIO; SOAK="--faults N --seed N"
	@$(BUILD) all unit-tests benches
	@TIDEMARK_BIN=$(abspath $(B)/tidemark) TIDEMARK_BUILD=$(B) $(PERL) tests/fault/soak.pl $(SOAK)
	@for engine in postgres $$(ls /usr/lib/postgresql/1[5-8]/lib/timescaledb.so >/dev/null 2>&1 && echo timescaledb); do \
	    TIDEMARK_BIN=$(abspath $(B)/tidemark) TIDEMARK_BUILD=$(B) OVERLOAD_SECONDS=60 OVERLOAD_ENGINE=$$engine $(PERL) tests/fault/overload.t || exit; \
	done
	@TIDEMARK_BIN=$(abspath $(B)/tidemark) TIDEMARK_BUILD=$(B) KILLED_ARCHIVERS=200 prove tests/sql/archive.t tests/sql/archive_events.t
	@TIDEMARK_BIN=$(abspath $(B)/tidemark) TIDEMARK_BUILD=$(B) OBJECTS_STREAM_MIB=2048 OBJECTS_EACH_MIB=1024 $(PERL) tests/http/objects.t

clean:                       ## remove everything built
	rm -rf build

lint: deps-lint              ## clang, clang-tidy, cppcheck, shellcheck, perl -c
	@$(BUILD) B=build/clang CC=clang objects unit-tests
	@tests/lint

fmt:                         ## lay out the C sources by .clang-format
	clang-format -i $(wildcard app/*.c app/*/*.[ch] tests/*/*.[ch])

# Those of the schema's tests that run C, too: programs of tests/unit, the archiver, tidemark itself.
DATABASE_TESTS = $(shell grep -lE 'run_unit|tests/unit/\$$|Tidemark::Archiver|->tidemark\b|home \. ./tidemark' tests/sql/*.t)

sanitize: deps-test          ## unit, database and HTTP tests under ASan and UBSan
	@$(BUILD) B=build/asan SANITIZE=address,undefined all unit-tests
	@ASAN_OPTIONS=abort_on_error=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1 \
	    TIDEMARK_BIN=$(abspath build/asan/tidemark) TIDEMARK_BUILD=build/asan \
	    tests/run $(or $(TESTS),unit $(DATABASE_TESTS) http)

sanitize-thread: deps-test   ## ingest's unit and HTTP tests under TSan
	@$(BUILD) B=build/tsan SANITIZE=thread all unit-tests
	@TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 \
	    TIDEMARK_BIN=$(abspath build/tsan/tidemark) TIDEMARK_BUILD=build/tsan \
	    setarch -R tests/run $(or $(TESTS),$(wildcard tests/unit/ingest*.c tests/unit/db_pool*.c tests/sql/ingest_store.t tests/http/ingest*.t))

coverage: deps-test deps-lint          ## line coverage of unit and HTTP tests, in build/coverage/
	@$(BUILD) B=build/cov COVERAGE=1 all unit-tests
	@tests/coverage $(TESTS)

FUZZ_BUILD := B=build/fuzz CC=clang SANITIZE=fuzzer-no-link,address,undefined
# That clang is there with its libraries of fuzzing.
HAS_FUZZER = $(shell echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' | \
    clang -xc -fsanitize=fuzzer,address,undefined -o /dev/null - 2>/dev/null && echo yes)
fuzz: deps-lint              ## each parser's fuzz target for FUZZ_SECONDS (30)
	@$(BUILD) $(FUZZ_BUILD) fuzzers
	@FUZZ_SECONDS=$(or $(FUZZ_SECONDS),30) JOBS=$(JOBS) tests/fuzz/run $(notdir $(FUZZERS))

deps-run deps-test deps-lint: deps-%:
	@deploy/packages $*

# ---- compiling ----

# V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),,@echo "  $(1) $(patsubst build/%,%,$@)")

# Rewritten only when compiler, flags or version change, so that what depends on it is rebuilt then.
update = @mkdir -p $(@D); new=$@.$$$$; printf '%s\n' $(1) >$$new; cmp -s $$new $@ && rm $$new || mv $$new $@

$(B)/flags: FORCE
	$(call update,'$(COMPILE)' '$(LIBS)')

$(B)/objects: FORCE
	$(call update,$(OBJECTS))

COMMIT = $(shell git -c safe.directory='*' describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)
$(GEN)/version.h: FORCE
	$(call update,'/* Made by the Makefile. */' '#define TIDEMARK_VERSION "$(VERSION)"' \
	    '#define TIDEMARK_COMMIT "$(COMMIT)"')

$(B)/obj/base/%.o: private COMPILE += -DTIDEMARK_BASE
$(B)/obj/%.o: app/%.c $(B)/flags | $(GENERATED_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC  )
	$(Q)$(COMPILE) -c -o $@ $<

$(B)/obj/gen/%.o: $(GEN)/%.c $(B)/flags | $(GENERATED_HEADERS)
	@mkdir -p $(@D)
	$(call say,CC  )
	$(Q)$(COMPILE) -c -o $@ $<

$(B)/libtidemark.a: $(OBJECTS) $(B)/objects
	@rm -f $@
	$(call say,AR  )
	$(Q)ar rcs $@ $(OBJECTS)

$(B)/tidemark: $(B)/obj/main.o $(B)/libtidemark.a
	$(call say,LINK)
	$(Q)$(CC) $(LINK_FLAGS) -o $@ $^ $(LIBS)

# Tests may allocate; they see the sources and the library, and jansson to compare with.
$(B)/tests/unit/%: tests/unit/%.c $(B)/libtidemark.a $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC  )
	$(Q)$(COMPILE) -DTIDEMARK_BASE $(LINK_FLAGS) -o $@ $< $(B)/libtidemark.a $(LIBS) -ljansson

$(B)/tests/bench/%: tests/bench/%.c $(B)/libtidemark.a $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC  )
	$(Q)$(COMPILE) -DTIDEMARK_BASE $(LINK_FLAGS) -o $@ $< $(B)/libtidemark.a $(LIBS)

$(B)/libparsers.a: $(PARSERS) $(B)/objects
	@rm -f $@
	$(call say,AR  )
	$(Q)ar rcs $@ $(PARSERS)

$(B)/tests/fuzz/%: tests/fuzz/%.c $(B)/libparsers.a $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC  )
	$(Q)$(COMPILE) -DTIDEMARK_BASE -fsanitize=fuzzer,address,undefined $(LINK_FLAGS) -o $@ $< \
	    $(B)/libparsers.a $(LIBS) -ljansson

# ---- generated code ----
# A folder is a prerequisite too: its time changes when a file is added or removed.

GEN_LIB := $(wildcard app/gen/lib/*.pm)

$(GEN)/queries.c $(GEN)/queries.h &: app/gen/queries.pl $(GEN_LIB) $(wildcard sql/queries sql/queries/*.sql)
	@mkdir -p $(GEN)
	$(call say,GEN )
	$(Q)$(PERL) app/gen/queries.pl --out $(GEN) $(wildcard sql/queries/*.sql)

$(GEN)/migrations.c $(GEN)/migrations.h &: app/gen/migrations.pl $(GEN_LIB) \
        $(wildcard sql/bootstrap.sql sql/migrations sql/migrations/*.sql sql/engine/* sql/engine/*/*.sql)
	@mkdir -p $(GEN)
	$(call say,GEN )
	$(Q)$(PERL) app/gen/migrations.pl --out $(GEN) --engine sql/engine \
	    $(addprefix --bootstrap ,$(wildcard sql/bootstrap.sql)) $(wildcard sql/migrations/*.sql)

# Every header of the view, as what a template may call is declared there.
$(GEN)/templates.c $(GEN)/templates.h &: app/gen/templates.pl $(GEN_LIB) $(wildcard app/view static templates templates/*.html)
	@mkdir -p $(GEN)
	$(call say,GEN )
	$(Q)$(PERL) app/gen/templates.pl --out $(GEN) --static static \
	    $(patsubst app/%,--include %,$(wildcard app/view/*.h)) $(wildcard templates/*.html)

$(GEN)/assets.c $(GEN)/assets.h &: app/gen/assets.pl $(GEN_LIB) $(wildcard static static/*)
	@mkdir -p $(GEN)
	$(call say,GEN )
	$(Q)$(PERL) app/gen/assets.pl --out $(GEN) $(wildcard static/*)

-include $(wildcard $(B)/obj/*.d $(B)/obj/*/*.d $(B)/tests/*/*.d)
