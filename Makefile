# make help     lists the targets.
# Variables:    CC=clang  SAN=address|undefined|thread  CACHE=none|all|lru,sieve  CATALOGUE=FILE[.xz]
#               SCHEMA=FILE (docs/catalogue.md)  TRACES=DIR  PREFIX=/usr/local  DESTDIR=  V=1
# One Makefile, no recursion. Sources are found by folder; adding a file needs no line here.

CATALOGUE ?= fixtures/catalogue/catalogue.yaml.xz
SCHEMA    ?= registry/catalogue/model.yaml
CACHE     ?= all
SAN       ?=
PREFIX    ?= /usr/local
TRACES    ?= ../shared/data/traces
OPT       ?= -O2
V         ?= 0
Q         := $(if $(filter 1,$V),,@)

comma := ,
empty :=
space := $(empty) $(empty)
tag   := $(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(findstring clang,$(CC)),-clang)$(if $(filter-out all,$(CACHE)),-$(subst $(comma),-,$(CACHE)))$(if $(filter-out fixtures/catalogue/catalogue.yaml.xz,$(CATALOGUE)),-$(firstword $(subst ., ,$(notdir $(CATALOGUE)))))
B     ?= build$(tag)

# `make setup check` installs before this file asks which packages are there. `make -n setup` installs nothing.
ifneq ($(filter setup,$(MAKECMDGOALS)),)
ifeq ($(findstring n,$(firstword -$(MAKEFLAGS))),)
$(if $(shell ci/setup.sh >&2 || echo failed),$(error make setup: not everything could be installed))
endif
endif

# Packages, as pkg-config names. ci/packages.txt has Debian's.
PKGS   := check libcyaml yaml-0.1 jansson expat libdw libelf liblzma libzstd zlib sqlite3 libcurl libmicrohttpd
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)

WARN   := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wundef -Werror
# In tables of adapters a row names what differs from nothing; gcc does not mind either.
WARN   += $(if $(findstring clang,$(CC)),-Wno-missing-field-initializers)
CFLAGS ?=
STD    := -std=gnu11 -D_GNU_SOURCE
# Debian's valgrind does not read the DWARF 5 that clang writes.
DEBUG  := $(if $(findstring clang,$(CC)),-gdwarf-4,-g)
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer $(if $(findstring undefined,$(SAN)),-fno-sanitize-recover=all))
# As distributions build; `make lint` looks whether it is so. A sanitizer checks more, and does not go with FORTIFY,
# which needs an optimizing compiler.
FORTIFY  := $(if $(SAN)$(filter-out -O1 -O2 -O3 -Os,$(OPT)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
HARDEN   := -fstack-protector-strong $(FORTIFY)
HARDEN_LD := -Wl,-z,relro,-z,now,-z,noexecstack
ALL_CFLAGS = $(STD) $(OPT) $(DEBUG) $(WARN) $(HARDEN) -fPIE -I. -Iinclude -I$B/gen $(PKG_CFLAGS) $(SANFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(SANFLAGS) -pie $(HARDEN_LD) $(LDFLAGS)
# What runs under the preload is never sanitized: two mallocs cannot both be the lowest. The suites are
# therefore built twice in a sanitized build: plain ones for tidemark, sanitized ones to run by themselves.
PLAIN_CFLAGS = $(STD) $(OPT) $(DEBUG) $(WARN) -I. -Iinclude -I$B/gen $(PKG_CFLAGS) $(CFLAGS)
PLAIN := $(if $(SAN),plain,obj)
# The library inside the measured process is never sanitized: it is the malloc below everything.
WORKER_CFLAGS = $(STD) $(OPT) $(DEBUG) $(WARN) $(HARDEN) -I. -Iinclude -fPIC -fvisibility=hidden -ftls-model=initial-exec -fno-builtin-malloc $(CFLAGS)

sources = $(filter-out %_test.c %_bench.c %_fuzz.c,$(wildcard $1/*.c))
object  = $(patsubst %.c,$B/obj/%.o,$1)

CORE_DIRS   := harness/base harness/bench harness/trace harness/scenario harness/plan harness/result harness/symbol harness/worker harness/judge harness/campaign harness/report harness/record harness/cli
WORKER_DIRS := harness/meter harness/ledger harness/boundary
CORE_SRC    := $(foreach d,$(CORE_DIRS),$(call sources,$d))
MAIN_SRC    := harness/cli/main.c
WORKER_SRC  := harness/base/wire.c harness/base/wire_heap.c $(foreach d,$(WORKER_DIRS),$(call sources,$d))
# Strategies can be compiled out: CACHE=none, or a list of those to keep.
CACHE_KEPT  := $(subst -,_,$(if $(filter none,$(CACHE)),,$(subst $(comma), ,$(CACHE))))
CACHE_NAMES := $(shell sed -n 's/^STRATEGY(\(.*\))/\1/p' registry/cache/strategy.def)
CACHE_LEFT_OUT := $(if $(filter-out all,$(CACHE)),$(filter-out direct $(CACHE_KEPT),$(CACHE_NAMES)))
REGISTRY_DIRS := $(addprefix registry/,catalogue cache file ttl)
TIERED_DIRS  := registry/tiered registry/admin
REGISTRY_TEST_DIRS := $(REGISTRY_DIRS) registry/catalogue/generate $(TIERED_DIRS)
REGISTRY_SRC := $(filter-out $(foreach s,$(CACHE_LEFT_OUT),%/strategy_$s.c),$(foreach d,$(REGISTRY_DIRS),$(call sources,$d)))
GENERATE_SRC := $(call sources,registry/catalogue/generate)
CORE_OBJ    := $(call object,$(filter-out $(MAIN_SRC),$(CORE_SRC)))
MAIN_OBJ    := $(call object,$(MAIN_SRC))
WORKER_OBJ  := $(patsubst %.c,$B/pic/%.o,$(WORKER_SRC))
TIERS := minimal standard comprehensive
TABLES_OBJ := $B/gen/registry_tables.o $(TIERS:%=$B/gen/registry_tier_%.o)
REGISTRY_OBJ := $(call object,$(REGISTRY_SRC)) $(TABLES_OBJ)
PLAIN_OBJ    := $(patsubst $B/obj/%,$B/$(PLAIN)/%,$(REGISTRY_OBJ))
PLAIN_LIB    := $(if $(SAN),$B/libregistry-plain.a,$B/libregistry.a)
GENERATE_OBJ := $(call object,$(GENERATE_SRC))

# A suite is a folder of scenarios/: a libcheck program over the registry.
SUITES := $(patsubst scenarios/%/,%,$(dir $(wildcard scenarios/*/main.c)))
SUITE_BIN := $(addprefix $B/suites/,$(SUITES))
SUITE_SRC_collector-plugin = scenarios/upstream/upstream.c
SUITE_LIBS_collector-plugin = $(shell pkg-config --libs libcurl libmicrohttpd)
SUITE_SRC_provider-file = $(SUITE_SRC_collector-plugin) scenarios/disk/small_disk.c
SUITE_LIBS_provider-file = $(SUITE_LIBS_collector-plugin)
# The tiered cache: linked to SQLite; the libraries of PostgreSQL and of TLS are loaded when asked for.
TIERED_LIBS  := $(shell pkg-config --libs sqlite3)
TIERED_SRC   := $(foreach d,$(TIERED_DIRS),$(call sources,$d))
SUITE_SRC_serverless = $(call sources,registry/tiered) scenarios/disk/small_disk.c
SUITE_LIBS_serverless = $(TIERED_LIBS) -ldl
SUITE_DEPS_serverless = $(wildcard registry/tiered/*.h registry/tiered/*.def registry/tiered/*.sql)
# A package that came later changes the flags, and what they build is built again.
FLAGS_NOW := $(CC) $(PKG_CFLAGS) $(TIERED_LIBS)
$(if $(filter help clean format,$(MAKECMDGOALS)),,$(shell mkdir -p $B; [ "$$(cat $B/flags 2>/dev/null)" = '$(FLAGS_NOW)' ] || echo '$(FLAGS_NOW)' >$B/flags))
FIXTURE_SRC := $(wildcard fixtures/programs/*.c)
FIXTURE_BIN := $(patsubst fixtures/programs/%.c,$B/fixtures/%,$(FIXTURE_SRC)) $(addprefix $B/fixtures/check_basic-,nopie noalign stripped shared static relinked)

# The same tests in each framework: those whose headers are installed. FRAMEWORKS is a folder with the headers and
# sources of those that Debian does not have; what lies in fixtures/frameworks/like only has the same names.
FRAMEWORKS ?= fixtures/frameworks/like
header_of = $(firstword $(wildcard $(addsuffix /$1,$(FRAMEWORKS) /usr/include /usr/local/include)))
FRAMEWORK_NAMES := $(if $(call header_of,gtest/gtest.h),gtest) $(if $(call header_of,catch2/catch.hpp),catch2) $(if $(call header_of,doctest/doctest.h),doctest) \
    $(if $(call header_of,boost/test/unit_test.hpp),boost boost-shared boost-decorated) $(if $(call header_of,CppUTest/TestHarness.h),cpputest) \
    $(if $(call header_of,criterion/criterion.h),criterion) \
    $(foreach f,unity munit acutest utest greatest tap,$(if $(call header_of,$f.h),$f))
FIXTURE_BIN += $(FRAMEWORK_NAMES:%=$B/frameworks/%) $(if $(filter munit,$(FRAMEWORK_NAMES)),$B/frameworks/munit-dissolved)

SPECIMEN_BIN := $(patsubst fixtures/specimens/%.c,$B/specimens/%,$(filter-out %/specimen.c,$(wildcard fixtures/specimens/*.c)))

# The generator of test programs with known answers; program.c is linked into what it writes.
SHAPES_OBJ := $(call object,$(filter-out %/program.c,$(call sources,fixtures/shapes)))

TEST_DIRS := $(CORE_DIRS) $(WORKER_DIRS) $(REGISTRY_TEST_DIRS) scenarios fixtures/shapes
TEST_SRC := $(wildcard $(addsuffix /*_test.c,$(TEST_DIRS)))
TEST_BIN := $(patsubst %.c,$B/test/%,$(TEST_SRC))
TEST_SH  := $(wildcard $(addsuffix /*_test.sh,$(TEST_DIRS) ci fixtures fixtures/specimens))

CORE_LIBS = $(shell pkg-config --libs libcyaml yaml-0.1 jansson expat libdw libelf liblzma libzstd zlib sqlite3) -ldl -lm -lpthread
CHECK_LIBS = $(shell pkg-config --libs check)

ROUNDS ?= 11
TORTURE ?= 64 60
FAULTS_TORTURE ?= 16 10
.PHONY: aarch64 torture faults growth herd-14 bench-repetition bench-stacks bench-overhead bench-overhead-suites bench-peers bench-lookup bench-self-test bench
.PHONY: all mutants help setup run check check-valgrind lint format clean tests specimens specimens-oracle shapes-oracle bench-detection bench-shapes mutants-judge bench-suite bench-strategies bench-simulate bench-report bench-page bench-compare validate-reports fuzz install deb deb-bare shards template template-ci abi baselines
.DELETE_ON_ERROR:
.SECONDARY:

all: $B/tidemark $B/libtidemark.so $(SUITE_BIN) ## build everything: build/tidemark, build/libtidemark.so

help: ## this list
	@sed -n 's/^\([a-z][a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | sort | awk -F'\t' '{printf "  %-18s %s\n", $$1, $$2}'

setup: ## install what is needed (root or sudo)
	@:

ifeq ($(filter help clean format,$(MAKECMDGOALS)),)
ifneq ($(shell pkg-config --exists $(PKGS) 2>/dev/null && echo yes),yes)
$(error $(shell ci/setup.sh --missing))
endif
endif

run: all ## the headline scenario, as a table
	$Q$B/tidemark run scenarios/registry-60gb.yaml

# The suites are tests of the registry too: in a sanitized build the sanitized ones, else as they are.
SUITE_CHECK := $(if $(SAN),$(addprefix $B/suites-san/,$(SUITES)),$(SUITE_BIN))

# Other flags, other results: what is built by its flags is built again when they may have changed.
$(CORE_OBJ) $(MAIN_OBJ) $(WORKER_OBJ) $(REGISTRY_OBJ) $(PLAIN_OBJ) $(GENERATE_OBJ) $(SUITE_BIN) $(FIXTURE_BIN) $(SPECIMEN_BIN) $(TEST_BIN): Makefile

tests: all $B/libtidemark-registry.so.0 $B/bench/libledger.so $B/bench/libverify.so $(TEST_BIN) $(FIXTURE_BIN) $(SPECIMEN_BIN) $(SUITE_CHECK) $B/shapes $B/shapes-program.o

# The slowest first, or they end alone.
SLOW_TESTS = $(filter %/strategy_test %/strategy_registry_test %/curve_test %/suites-san/registry,$(TEST_BIN) $(SUITE_CHECK))
SLOW_SH := ci/docs_test.sh harness/cli/bench_test.sh harness/campaign/forged_test.sh
check: tests ## all tests
	$QB=$B TRACES=$(TRACES) CACHE=$(CACHE) SAN=$(SAN) ci/check.sh $(SLOW_SH) $(SLOW_TESTS) $(filter-out $(SLOW_TESTS),$(TEST_BIN) $(SUITE_CHECK)) $(filter-out $(SLOW_SH),$(TEST_SH))

check-valgrind: tests ## the unit tests under memcheck, full leak check
	$QB=$B TRACES=/nonexistent ci/check.sh --valgrind $(filter $(SLOW_TESTS),$(TEST_BIN)) $(filter-out $(SLOW_TESTS),$(TEST_BIN))

$B/tidemark: $(MAIN_OBJ) $B/libcore.a $B/libtiered.a $B/libregistry.a
	$Qecho "  LD    $@"; $(CC) $(ALL_LDFLAGS) -o $@ $(MAIN_OBJ) $B/libcore.a $B/libtiered.a $B/libregistry.a $(CORE_LIBS)

$B/libtidemark.so: $(WORKER_OBJ) harness/boundary/libtidemark.map
	$Qecho "  LD    $@"; $(CC) -shared -Wl,-soname,libtidemark.so.0 -Wl,--version-script=harness/boundary/libtidemark.map -Wl,-z,now -o $@ $(WORKER_OBJ) -ldl -lpthread
	$Qln -sf libtidemark.so $B/libtidemark.so.0

$B/libcore.a: $(CORE_OBJ)
	$Qrm -f $@; $(AR) rcs $@ $^

# For the unit tests, which call the insides: without the names that stand before libc's and libcheck's.
$B/libworker.a: $(filter-out %_export.o,$(WORKER_OBJ)) $B/pic/harness/base/wire_read.o $B/pic/harness/base/wire_check.o
	$Qrm -f $@; $(AR) rcs $@ $^

# The ledger as a preload of its own, without boundaries: for measuring it and for tests of single programs.
$B/bench/libledger.so: harness/ledger/preload_bench.c $(filter-out $B/pic/harness/boundary/%,$(WORKER_OBJ)) harness/boundary/libtidemark.map
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(WORKER_CFLAGS) -shared -Wl,--version-script=harness/boundary/libtidemark.map $(HARDEN_LD) -o $@ $(filter %.c %.o,$^) -ldl -lpthread

$B/bench/overhead: harness/ledger/overhead_bench.c
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(STD) -O2 $(WARN) -I. -o $@ $<

$B/bench/librepeat.so: harness/ledger/repeat_bench.c
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(WORKER_CFLAGS) -shared -o $@ $< -ldl

$B/bench/libverify.so: harness/ledger/verify_bench.c harness/ledger/preload_bench.c $(filter-out harness/boundary/%,$(WORKER_SRC)) harness/boundary/libtidemark.map
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(WORKER_CFLAGS) -DLEDGER_VERIFY -shared -Wl,--version-script=harness/boundary/libtidemark.map -Wl,-z,now -o $@ $(filter %.c,$^) -ldl -lpthread

$B/bench/repetition: harness/boundary/repetition_bench.c harness/base/wire.c harness/base/wire_heap.c harness/base/wire_read.c harness/base/wire_check.c
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(STD) -O2 $(WARN) -I. -o $@ $^

bench-repetition: $B/bench/repetition $B/libtidemark.so $B/fixtures/check_empty ## what a repetition costs beside the test, at each depth
	$QB=$B $B/bench/repetition

bench-stacks: $B/bench/libverify.so $B/fixtures/heap_tour ## every stack of some programs (and PROGRAMS) against backtrace()
	$QB=$B ci/bench-stacks.sh $(PROGRAMS)

# SUITES: more libcheck programs; SOURCES: a folder of checkouts of ci/mutants.ini's libraries, whose suites are built.
bench-overhead: $B/bench/overhead $B/bench/libledger.so $B/fixtures/alloc_loop bench-overhead-suites ## cost of watching: count and trace depth beside plain, heaptrack and memcheck
	$Q$B/bench/overhead $B $(ROUNDS)

bench-overhead-suites: $B/bench/libledger.so $B/bench/librepeat.so $(SUITE_BIN) $B/bench/check_catalogue
	$QB=$B ci/bench-overhead.py --rounds $(ROUNDS) $(if $(SOURCES),--sources $(SOURCES)) $B/suites/registry $B/bench/check_catalogue $(SUITES)

$B/bench/check_catalogue: docs/example/check_catalogue.c
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(STD) -O2 $(WARN) -o $@ $< $(CHECK_LIBS)

$B/libregistry.a: $(REGISTRY_OBJ)
	$Qrm -f $@; $(AR) rcs $@ $^

$B/registry-generate: $(GENERATE_OBJ) $(call object,registry/catalogue/registry_words.c harness/base/diag.c harness/base/memory.c harness/base/text.c harness/base/unit.c harness/scenario/node.c)
	$Qecho "  LD    $@"; $(CC) $(ALL_LDFLAGS) -o $@ $^ $(shell pkg-config --libs jansson liblzma yaml-0.1) -lm
$B/obj/registry/catalogue/generate/schema.o: registry/catalogue/model.yaml

# The shipped catalogue holds only real models; made-up ones bring it to 27,000. Others are taken as they are.
$B/gen/registry_tables.c: $(CATALOGUE) $(SCHEMA) $B/registry-generate
	$Qmkdir -p $(@D); echo "  GEN   $@ ($(CATALOGUE))"; $B/registry-generate --schema $(SCHEMA) $(if $(filter fixtures/catalogue/catalogue.yaml.xz,$(CATALOGUE)),--fill 27000) $(CATALOGUE) $@

$B/gen/registry_tier_%.c: fixtures/tiers/%.yaml $B/registry-generate
	$Qmkdir -p $(@D); echo "  GEN   $@"; $B/registry-generate --symbol registry_tier_$* $< $@

$(TABLES_OBJ): %.o: %.c
	$Qecho "  CC    $<"; $(CC) $(STD) -O1 -I. -Iinclude -c $< -o $@

$B/libregistry-plain.a: $(PLAIN_OBJ)
	$Qrm -f $@; $(AR) rcs $@ $^

$B/suites/%: $(PLAIN_LIB)
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(PLAIN_CFLAGS) $(LDFLAGS) -o $@ $(wildcard scenarios/$*/*.c) $(SUITE_SRC_$*) $(PLAIN_LIB) $(CHECK_LIBS) $(SUITE_LIBS_$*) -lm -lpthread

$B/suites-san/%: $B/libregistry.a
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(wildcard scenarios/$*/*.c) $(SUITE_SRC_$*) $B/libregistry.a $(CHECK_LIBS) $(SUITE_LIBS_$*) -lm -lpthread

define suite_deps
$B/suites/$1 $B/suites-san/$1: $(wildcard scenarios/$1/*.c scenarios/$1/*.h) $(SUITE_SRC_$1) $(wildcard $(SUITE_SRC_$1:.c=.h)) $(SUITE_DEPS_$1)
endef
$(foreach s,$(SUITES),$(eval $(call suite_deps,$s)))

# Tests with known verdicts; LSan twins for the comparison.
$B/specimens/%: fixtures/specimens/%.c fixtures/specimens/specimen.c fixtures/specimens/specimen.h
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(STD) -O1 $(DEBUG) -fno-builtin -Wall -Wextra -Werror -o $@ $< fixtures/specimens/specimen.c $(CHECK_LIBS) -ldl -lpthread
$B/specimens-lsan/%: fixtures/specimens/%.c fixtures/specimens/specimen.c fixtures/specimens/specimen.h
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(STD) -O1 $(DEBUG) -fno-builtin -fsanitize=leak -o $@ $< fixtures/specimens/specimen.c $(CHECK_LIBS) -ldl -lpthread

$B/shapes: $(SHAPES_OBJ) $B/libcore.a
	$Qecho "  LD    $@"; $(CC) $(ALL_LDFLAGS) -o $@ $^
$B/shapes-program.o: fixtures/shapes/program.c fixtures/shapes/program.h
	$Qmkdir -p $(@D); echo "  CC    $<"; $(CC) $(STD) -O1 $(DEBUG) $(WARN) -I. $(CFLAGS) -c $< -o $@
$B/test/fixtures/shapes/%: fixtures/shapes/%.c $(SHAPES_OBJ) $B/libcore.a
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(ALL_CFLAGS) -MMD -MP -MF $@.d $(ALL_LDFLAGS) -o $@ $< $(filter-out %/shapes.o,$(SHAPES_OBJ)) $B/libcore.a $(CHECK_LIBS)

# The same program built in the ways that decide how its boundaries can be known.
$B/fixtures/%-nopie: fixtures/programs/%.c
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(STD) -O1 $(DEBUG) -Iinclude -no-pie -fno-pie -o $@ $< $(CHECK_LIBS)
$B/fixtures/%-noalign: fixtures/programs/%.c
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(STD) -Os $(DEBUG) -Iinclude -fcf-protection=full -Wl,-z,noseparate-code -o $@ $< $(CHECK_LIBS)
$B/fixtures/%-stripped: fixtures/programs/%.c
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(STD) -O1 -s -Iinclude -o $@ $< $(CHECK_LIBS)
$B/fixtures/%-static: fixtures/programs/%.c
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(STD) -O1 $(DEBUG) -static -Iinclude -o $@ $< $(CHECK_LIBS)
$B/fixtures/%-relinked: fixtures/programs/%.c $B/libtidemark.so
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(STD) -O1 -s -Iinclude -o $@ $< -Wl,-rpath,'$$ORIGIN/..' -L$B -l:libtidemark.so
$B/fixtures/libcheck-shared.so:
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) -shared -o $@ -Wl,--whole-archive $$($(CC) -print-file-name=libcheck_pic.a) -Wl,--no-whole-archive $(filter-out -lcheck%,$(CHECK_LIBS))
$B/fixtures/%-shared: fixtures/programs/%.c $B/fixtures/libcheck-shared.so
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(STD) -O1 $(DEBUG) -Iinclude -o $@ $< -Wl,-rpath,'$$ORIGIN' $B/fixtures/libcheck-shared.so

$B/fixtures/check_forges: harness/base/wire.h
$B/fixtures/check_forges: private FIXTURE_LIBS = -I. $(CHECK_LIBS)
# A library with libcheck in it, which asks the linker for none of its functions.
$B/fixtures/libinside.so: fixtures/programs/check_inside.c
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(STD) -O1 $(DEBUG) -DLIBRARY -fPIC -shared -Wl,-Bsymbolic -o $@ $< -Wl,--whole-archive $$($(CC) -print-file-name=libcheck_pic.a) -Wl,--no-whole-archive $(filter-out -lcheck%,$(CHECK_LIBS))
$B/fixtures/check_inside: private FIXTURE_LIBS = -Wl,-rpath,'$$ORIGIN' $B/fixtures/libinside.so
$B/fixtures/check_inside: $B/fixtures/libinside.so

$B/fixtures/cache_service $B/fixtures/ttl_steps: $B/libtiered.a $B/libregistry.a
$B/fixtures/cache_service $B/fixtures/ttl_steps: private FIXTURE_LIBS = -I. $(SANFLAGS) $B/libtiered.a $B/libregistry.a $(TIERED_LIBS) -lm
$B/fixtures/cmocka_program: private FIXTURE_LIBS = -lcmocka
$B/fixtures/cmocka_quiet: private FIXTURE_LIBS = -no-pie -fno-pie -lcmocka
$B/fixtures/cunit_program: private FIXTURE_LIBS = -lcunit
$B/fixtures/glib_program: private FIXTURE_LIBS = $(shell pkg-config --cflags --libs glib-2.0)
$B/frameworks/gtest: private FRAMEWORK_LIBS = -lgtest -lpthread
$B/frameworks/catch2: private FRAMEWORK_LIBS = -lCatch2WithMain
$B/frameworks/boost $B/frameworks/boost-decorated: private FRAMEWORK_LIBS = -l:libboost_unit_test_framework.a
$B/frameworks/boost-shared: private FRAMEWORK_LIBS = -lboost_unit_test_framework
$B/frameworks/boost-shared.o: private FRAMEWORK_FLAGS = -DBOOST_TEST_DYN_LINK
$B/frameworks/boost-decorated.o: private FRAMEWORK_FLAGS = -DDECORATED
$B/frameworks/cpputest: private FRAMEWORK_LIBS = -lCppUTest
$B/frameworks/criterion: private FRAMEWORK_LIBS = -lcriterion
FRAMEWORK_CXXFLAGS = -std=c++17 -O1 $(DEBUG) -fno-builtin -Ifixtures/frameworks -I$(FRAMEWORKS) $(FRAMEWORK_FLAGS)
$B/frameworks/boost-%.o: fixtures/frameworks/boost_program.cc fixtures/frameworks/body.h
	$Qmkdir -p $(@D); echo "  CXX   $< ($*)"; $(CXX) $(FRAMEWORK_CXXFLAGS) -c $< -o $@
$B/frameworks/%.o: fixtures/frameworks/%_program.cc fixtures/frameworks/body.h
	$Qmkdir -p $(@D); echo "  CXX   $<"; $(CXX) $(FRAMEWORK_CXXFLAGS) -c $< -o $@
$B/frameworks/%.o: fixtures/frameworks/%_program.c fixtures/frameworks/body.h $(wildcard $(FRAMEWORKS)/*)
	$Qmkdir -p $(@D); echo "  CC    $<"; $(CC) $(STD) -O1 $(DEBUG) -fno-builtin -Ifixtures/frameworks -I$(FRAMEWORKS) -c $< -o $@
$(addprefix $B/frameworks/,unity munit acutest utest greatest tap): $B/frameworks/%: $B/frameworks/%.o $(wildcard $(FRAMEWORKS)/*)
	$Qecho "  LD    $@"; $(CC) -O1 $(DEBUG) -I$(FRAMEWORKS) -o $@ $< $(wildcard $(FRAMEWORKS)/$*.c) -lm
# The same without the functions that are looked for: link-time optimization leaves the data.
$B/frameworks/munit-dissolved: fixtures/frameworks/munit_program.c $(wildcard $(FRAMEWORKS)/munit.*) fixtures/frameworks/body.h
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(STD) -O1 $(DEBUG) -fno-builtin -Ifixtures/frameworks -I$(FRAMEWORKS) -Dmunit_suite_main_custom=another_name -o $@ $< $(FRAMEWORKS)/munit.c -lm
$B/frameworks/%: $B/frameworks/%.o
	$Qecho "  LD    $@"; $(CXX) -o $@ $< $(FRAMEWORK_LIBS)

# Small programs that tests run: unsanitized, as a user's would be, unless they say otherwise.
$B/fixtures/%: fixtures/programs/%.c
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(STD) -O1 $(DEBUG) -fno-builtin -Iinclude -Wall -Wextra -o $@ $< $(if $(FIXTURE_LIBS),$(FIXTURE_LIBS),$(CHECK_LIBS)) -lpthread -ldl

$B/test/harness/meter/% $B/test/harness/ledger/% $B/test/harness/boundary/%: private TEST_LIBS = $B/libworker.a
$B/test/harness/meter/% $B/test/harness/ledger/% $B/test/harness/boundary/%: private SANFLAGS =
# One line of a test is one place that allocates, also after clang.
$B/test/harness/ledger/%: private ALL_CFLAGS += -fno-unroll-loops
$B/test/%: %.c $B/libcore.a $B/libtiered.a $B/libregistry.a $B/libworker.a
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(ALL_CFLAGS) -MMD -MP -MF $@.d $(ALL_LDFLAGS) -o $@ $< $(if $(TEST_LIBS),$(TEST_LIBS) $(CHECK_LIBS) -ldl -lpthread,$B/libcore.a $B/libtiered.a $B/libregistry.a $(CHECK_LIBS) $(CORE_LIBS))

$B/test/registry/catalogue/generate/%: registry/catalogue/generate/%.c $(GENERATE_OBJ) $B/libcore.a $B/libregistry.a
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(filter-out %/main.o,$(GENERATE_OBJ)) $B/libcore.a $B/libregistry.a $(CHECK_LIBS) $(CORE_LIBS)

TIERED_OBJ := $(call object,$(TIERED_SRC))
$(TIERED_OBJ): Makefile
$B/libtiered.a: $(TIERED_OBJ)
	$Qrm -f $@; $(AR) rcs $@ $^

$B/obj/registry/tiered/store_postgres_schema.o: $(wildcard registry/tiered/*.sql)
$(TIERED_OBJ) $B/suites/serverless $B/suites-san/serverless $(filter $B/test/registry/tiered/%,$(TEST_BIN)): $B/flags
$B/test/registry/tiered/%: registry/tiered/%.c $B/libtiered.a $B/libregistry.a
	$Qmkdir -p $(@D); echo "  LD    $@"; $(CC) $(ALL_CFLAGS) -MMD -MP -MF $@.d $(ALL_LDFLAGS) -o $@ $< $B/libtiered.a $B/libregistry.a $(CHECK_LIBS) $(TIERED_LIBS) -ldl -lm -lpthread

$B/plain/%.o: %.c
	$Qmkdir -p $(@D); echo "  CC    $< (plain)"; $(CC) $(PLAIN_CFLAGS) -MMD -MP -c $< -o $@

# The page's style and script are built into it.
$B/obj/harness/report/html.o: harness/report/page.css harness/report/page.js

$B/obj/%.o: %.c
	$Qmkdir -p $(@D); echo "  CC    $<"; $(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$B/pic/%.o: %.c
	$Qmkdir -p $(@D); echo "  CC    $< (pic)"; $(CC) $(WORKER_CFLAGS) -MMD -MP -c $< -o $@

# Every allocation of the program passes through the ledger: no canary there, which costs instructions in each hook.
$B/pic/harness/ledger/%.o: private WORKER_CFLAGS += -fno-stack-protector
# These leave a test by longjmp from whatever stack it runs on, which FORTIFY takes for an attack, or are functions
# that its headers have as macros under clang.
$(foreach f,criterion glib_test_export libcheck_assert libc_export program,$B/pic/harness/boundary/$f.o): private WORKER_CFLAGS += -U_FORTIFY_SOURCE
$B/obj/registry/cache/strategy.o: private ALL_CFLAGS += $(if $(filter-out all,$(CACHE)),-DCACHE_CHOSEN $(CACHE_KEPT:%=-DCACHE_%=1))

specimens: $(SPECIMEN_BIN)

specimens-oracle: specimens ## label the specimens without tidemark: 4,096 repetitions each
	$Qci/specimens-oracle.sh $(SPECIMEN_BIN)

# Other people's caches in the same run, those whose headers are installed.
BENCH_STRATEGY_PEERS := $(B)/bench/lru_glib.o $(B)/bench/lru_uthash.o $(B)/bench/lru_boost.o
$B/bench/%.o: registry/bench/peers/%.c registry/bench/peers/lru_peer.h
	$Qmkdir -p $(@D); $(CC) $(STD) $(OPT) -I. -Iinclude $(shell pkg-config --cflags glib-2.0 2>/dev/null) -c $< -o $@
$B/bench/%.o: registry/bench/peers/%.cc registry/bench/peers/lru_peer.h registry/bench/peers/lru_map.hh
	$Qmkdir -p $(@D); $(CXX) -std=c++17 $(OPT) -I. -Iinclude -c $< -o $@
$B/bench/strategy_bench: registry/bench/strategy_bench.c $(BENCH_STRATEGY_PEERS) $B/libregistry.a
	$Qmkdir -p $(@D); $(CC) $(ALL_CFLAGS) -o $@ $^ $(shell pkg-config --libs glib-2.0 2>/dev/null) -lstdc++ -lm -lpthread

$B/bench/simulate_bench: harness/trace/simulate_bench.c $B/libcore.a
	$Qmkdir -p $(@D); $(CC) $(ALL_CFLAGS) -o $@ $^ $(CORE_LIBS)

bench-simulate: $B/bench/simulate_bench ## cache simulator, million requests a second (TRACE=FILE)
	$Q$B/bench/simulate_bench $(TRACE)

bench-strategies: $B/bench/strategy_bench ## strategies beside boost, uthash and GLib: hit, miss, Zipf, threads
	$Q$B/bench/strategy_bench

# The look-up beside other tables: peers are compiled in where their headers are.
BENCH_HAVE := $(if $(shell pkg-config --exists glib-2.0 && echo 1),-DHAVE_GLIB $(shell pkg-config --cflags glib-2.0)) $(if $(wildcard /usr/include/uthash.h),-DHAVE_UTHASH) $(if $(wildcard /usr/include/htslib/khash.h $B/peers/include/htslib/khash.h),-DHAVE_KHASH -isystem $B/peers/include) $(if $(wildcard $(VERSTABLE) /usr/include/verstable.h /usr/local/include/verstable.h),-DHAVE_VERSTABLE $(if $(VERSTABLE),-isystem $(dir $(VERSTABLE))))
BENCH_HAVE_CXX := $(if $(wildcard /usr/include/absl/container/flat_hash_map.h),-DHAVE_ABSL) $(if $(wildcard /usr/include/boost/unordered/unordered_flat_map.hpp),-DHAVE_BOOST)
BENCH_LIBS = $(if $(findstring GLIB,$(BENCH_HAVE)),$(shell pkg-config --libs glib-2.0)) $(if $(findstring ABSL,$(BENCH_HAVE_CXX)),$(shell pkg-config --libs absl_flat_hash_map)) -lstdc++ -lm
BENCH_SIZES := 1000 27000 270000 2700000
BENCH_TABLES := $(BENCH_SIZES:%=$B/bench/tables-%.so)
BENCH_CFLAGS = $(STD) -O3 $(DEBUG) $(WARN) -I. -Iinclude $(BENCH_HAVE) $(BENCH_HAVE_CXX)

bench: bench-lookup bench-strategies all ## all tables with the bars beside them; peers where `make bench-peers` built them
	$Q$B/tidemark bench $(if $(wildcard $B/peers/*.so),--peers)

bench-peers: ## install other people's tables and caches, and build them for `tidemark bench --peers`
	$QB=$B CC="$(CC)" CXX="$(CXX)" VERSTABLE="$(VERSTABLE)" ci/peers.sh --install

RUNS ?= 100
bench-self-test: $B/tidemark ## what the bench is worth: RUNS=100 times itself, and itself 2 % slower
	$Q$B/tidemark bench --self-test $(RUNS)
	$Q$B/tidemark bench --self-test $(RUNS) -r lru

bench-lookup: $B/bench/lookup_bench $(BENCH_TABLES) ## the look-up beside the peers, 1,000 to 2,700,000 keys
	$Q$B/bench/lookup_bench $(BENCH_TABLES)

$B/bench/tables-%.c: $B/registry-generate $(CATALOGUE)
	$Qmkdir -p $(@D); echo "  GEN   $@"; $B/registry-generate --no-aliases --fill $* $(if $(filter 27000,$*),$(CATALOGUE),-) $@

$B/bench/tables-%.so: $B/bench/tables-%.c registry/bench/tables.c
	$Qecho "  LD    $@"; $(CC) $(BENCH_CFLAGS) -fPIC -shared -o $@ $^

$B/bench/lookup_bench: $(wildcard registry/bench/*) include/registry/registry_inline.h include/registry/registry_hash.h $B/libregistry.a
	$Qmkdir -p $(@D); echo "  LD    $@"
	$Q$(CC) $(BENCH_CFLAGS) -c registry/bench/lookup_bench.c -o $B/bench/lookup_bench.o
	$Q$(CC) $(BENCH_CFLAGS) -c registry/bench/ours.c -o $B/bench/ours.o
	$Q$(CC) $(BENCH_CFLAGS) -DREGISTRY_PORTABLE -c registry/bench/ours.c -o $B/bench/ours_portable.o
	$Q$(CC) $(BENCH_CFLAGS) -c registry/bench/peers.c -o $B/bench/peers.o
	$Qg++ -std=c++17 -O3 $(DEBUG) -I. -Iinclude $(BENCH_HAVE_CXX) -c registry/bench/peers_cxx.cpp -o $B/bench/peers_cxx.o
	$Q$(CC) -o $@ $B/bench/lookup_bench.o $B/bench/ours.o $B/bench/ours_portable.o $B/bench/peers.o $B/bench/peers_cxx.o $B/libregistry.a $(BENCH_LIBS)

shards: all ## one hunt over three hosts by GNU parallel, and as a Slurm array: equal to the unsharded one
	$QB=$B ci/shards.sh

MUTANTS ?= 240
mutants: tests ## faults made in registry/, scenarios/ and harness/judge, one at a time: which do the tests not see? (an hour; MUTANTS=240)
	$Qpython3 ci/mutants.py --build $B --count $(MUTANTS)

abi: $B/libtidemark-registry.so.0 $B/libtidemark.so ## keep the libraries' binary interfaces in registry/libregistry.abi and harness/boundary/libtidemark.abi
	$QB=$B ci/abi.sh registry >registry/libregistry.abi
	$QB=$B ci/abi.sh preload >harness/boundary/libtidemark.abi

baselines: all ## every shipped scenario: run, saved as a baseline, checked, updated, checked again (minutes)
	$QB=$B sh scenarios/baselines.sh

template-ci: all $B/libtidemark-registry.so.0 ## the GitHub and GitLab templates, each step of them, in a bare Debian 12 (root, a mirror)
	$QB=$B sh ci/template-ci.sh

template: all ## the plain shell CI template in a fresh clone of libcork (PROJECT=URL or folder)
	$QB=$B ci/template-real.sh

bench-report: $B/tidemark ## time and memory of reports and merging: 50 shards, 100,000 tests, 1,000,100 lines
	$QB=$B python3 ci/bench-report.py

bench-page: $B/tidemark ## the HTML page in Chromium: how long an interaction takes with 10,000 tests, pictures in $B/page
	$QB=$B python3 ci/page.py measure $B/page

validate-reports: $B/tidemark ## SARIF against its schema, the page by axe-core (both fetched with npm), JUnit by a parser
	$QB=$B ci/validate-reports.sh

bench-compare: $B/tidemark ## 100 comparisons of a program with itself, and with itself 3 % slower
	$QB=$B ci/bench-compare.sh

bench-detection: all specimens $(subst $B/specimens/,$B/specimens-lsan/,$(SPECIMEN_BIN)) ## precision and recall on the specimens, beside LSan, memcheck, heaptrack
	$QB=$B python3 ci/bench-detection.py

# SEEDS programs of each kind, BENCH_SHAPES="--base WORD" to repeat a run; the peers see the first five of each kind.
SEEDS ?= 50
bench-shapes: all $B/shapes $B/shapes-program.o ## recall and precision on SEEDS=50 programs of each kind, made at random, beside the same peers
	$QB=$B CC="$(CC)" CXX="$(CXX)" python3 ci/bench-shapes.py --seeds $(SEEDS) $(BENCH_SHAPES)

shapes-oracle: $B/shapes $B/shapes-program.o ## what the generator claims, without tidemark: SEEDS=50 programs of each kind, 4,096 calls of each test
	$Qfor kind in repeat repeat-glib repeat-cxx suite; do B=$B python3 fixtures/shapes/check.py oracle $$kind $$(for i in $$(seq $(SEEDS)); do echo fresh; done) || exit 1; done

torture: $B/suites/provider-file ## 64 processes x 60 s on one file cache, killed at random (TORTURE="64 60")
	$Q$< --torture $(TORTURE)

# MUTATE: options and files, as --sample 50 harness/judge/judge.c
mutants-judge: tests ## mutation testing of the judge and the campaigns: each threshold, comparison and branch changed once
	$QB=$B python3 ci/mutate.py $(MUTATE)

# The programs that the fault runs and the growth runs take their tests from.
INCIDENT_BIN := $(addprefix $B/suites/,collector-plugin provider-file stats-ttl serverless) $(addprefix $B/test/registry/,$(addprefix cache/,strategy_test strategy_registry_test strategy_memory_test) ttl/cache_memory_test $(addprefix file/file_,cache_test store_test) $(addprefix tiered/tiered_,cache_test memory_test))

faults: $(INCIDENT_BIN) ## processes, upstream and Redis killed, disk full, clock set: each by name
	$QB=$B TORTURE="$(FAULTS_TORTURE)" sh scenarios/faults.sh

growth: all $(INCIDENT_BIN) ## the incidents' strategies hunted for growth, each allocation failing in turn (minutes)
	$QB=$B sh scenarios/growth.sh

herd-14: $B/suites/provider-file ## 14 processes and one file, six ways, an upstream of 0.2, 0.8 and 2 s (a minute)
	$Q$< --herd

bench-suite: all $B/fixtures/check_cost ## what a hunt costs: suites of 500, 10,000 and of slow tests, beside a plain run and other tools
	$QB=$B ci/bench-suite.py

aarch64: tests ## the library for AArch64, and test programs under qemu: the same verdicts as natively
	$QB=$B ci/aarch64.sh --run

lint: all ## format, clang-tidy, cppcheck, headers alone, layers, exports
	$QB=$B ci/lint.sh

format: ## clang-format in place
	$Qgit ls-files '*.c' '*.h' | xargs clang-format -i

# What anybody can hand to tidemark, and what a worker can write into the memory that it shares with it, under libFuzzer
# with both sanitizers. A target is NAME_fuzz.c beside the code; corpora are in fixtures/fuzz/NAME.
FUZZ_SECONDS ?= 120
FUZZ_SRC := $(wildcard harness/*/*_fuzz.c registry/catalogue/generate/*_fuzz.c)
FUZZ     := $(patsubst %_fuzz.c,%,$(notdir $(FUZZ_SRC)))
FUZZ_SEEDS_scenario := fixtures/bad fixtures/good
FUZZ_CORE := $(filter-out $(MAIN_SRC),$(foreach d,base scenario result trace symbol campaign report plan judge,$(call sources,harness/$d)))
FUZZ_FLAGS = $(STD) -O1 -gdwarf-4 -I. -Iinclude $(PKG_CFLAGS) -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
$B/fuzz/obj/%.o: %.c
	$Qmkdir -p $(@D); echo "  CC    $< (fuzz)"; clang $(FUZZ_FLAGS) -MMD -MP -c $< -o $@
FUZZ_OBJ_catalogue := $(patsubst %.c,$B/fuzz/obj/%.o,$(filter-out %/main.c,$(GENERATE_SRC))) $B/libregistry.a
$(FUZZ:%=$B/fuzz/%): $B/fuzz/%: $(FUZZ_SRC) $(patsubst %.c,$B/fuzz/obj/%.o,$(FUZZ_CORE)) $(FUZZ_OBJ_catalogue) $B/libcore.a
	$Qecho "  LD    $@"; clang $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $(filter %/$*_fuzz.c,$(FUZZ_SRC)) $(filter %.o,$^) $B/libcore.a $B/libregistry.a $(CORE_LIBS)

fuzz-%: $B/fuzz/% ## libFuzzer on one reader, FUZZ_SECONDS=120: fuzz-scenario ... (clang)
	$Qmkdir -p $B/fuzz/corpus-$*; nice $< -max_len=4096 -timeout=10 -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -artifact_prefix=$B/fuzz/$*- $B/fuzz/corpus-$* $(wildcard fixtures/fuzz/$*) $(FUZZ_SEEDS_$*)

fuzz: $(FUZZ:%=fuzz-%) ## all of them, FUZZ_SECONDS each

# The registry as a shared object: the same code once more, position-independent, with its own names only.
REGISTRY_PIC := $(patsubst %.c,$B/pic/%.o,$(REGISTRY_SRC)) $(patsubst $B/gen/%,$B/pic/gen/%,$(TABLES_OBJ))
$B/pic/registry/%.o: private WORKER_CFLAGS += -fvisibility=default $(if $(filter-out all,$(CACHE)),$(if $(filter none,$(CACHE)),-DCACHE_NONE,$(foreach s,$(subst $(comma), ,$(CACHE)),-DCACHE_$s)) -DCACHE_CHOSEN)
$B/pic/gen/%.o: $B/gen/%.c
	$Qmkdir -p $(@D); echo "  CC    $< (pic)"; $(CC) $(STD) -O1 -fPIC -I. -Iinclude -c $< -o $@
$B/libtidemark-registry.so.0: $(REGISTRY_PIC) registry/libregistry.map
	$Qecho "  LD    $@"; $(CC) -shared -Wl,-soname,libtidemark-registry.so.0 -Wl,--version-script=registry/libregistry.map -o $@ $(REGISTRY_PIC) -lm -lpthread

install: all $B/libtidemark-registry.so.0 ## into DESTDIR + PREFIX (/usr/local), with man pages, completions, .pc files
	$QB=$B PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) ci/install.sh

deb: all $B/libtidemark-registry.so.0 ## a Debian package, build/tidemark_*.deb
	$QB=$B ci/deb.sh

deb-bare: all $B/libtidemark-registry.so.0 ## the Debian package in debootstrap's minbase (root, a mirror)
	$QB=$B sh ci/deb-bare.sh

clean: ## remove all build folders
	$Qrm -rf build build-*

-include $(shell find $B -name '*.d' -type f 2>/dev/null)
