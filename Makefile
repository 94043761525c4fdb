# SPDX-License-Identifier: Apache-2.0
# agentpol: `make help` lists what can be asked for. Everything that is made goes to build/.
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

BUILD   ?= build
CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
CLANG   ?= clang
PREFIX  ?= /usr/local
VERSION := 0.1.0

ifeq ($(V),1)
quiet = @:
Q :=
else
quiet = @printf '  %-8s %s\n' "$(1)" "$(2)"
Q := @
endif

# Where text may be cut off, the code says so or asks file_path; the compiler's guess is no help.
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wvla -Wno-format-truncation -Werror
HARDEN   := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
OPTIMISE ?= -O2 -g
INCLUDES := -I. -Iuser -I$(BUILD)
CFLAGS   += -std=gnu11 -D_GNU_SOURCE -DAGENTPOL_VERSION='"$(VERSION)"' $(OPTIMISE) $(WARNINGS) $(INCLUDES)
LDFLAGS  += -pie -Wl,-z,relro,-z,now
LIBS     := -lbpf -lelf -lz -lcjson -lseccomp -lcap -levent_extra -levent_core -lssl -lcrypto -lpg_query -lpcre2-8 -lm

# libFuzzer and the sanitizers take their own objects, in a build folder of their own.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

BPF_SOURCES := $(wildcard bpf/*.bpf.c)
BPF_OBJECTS := $(BPF_SOURCES:bpf/%.bpf.c=$(BUILD)/bpf/%.bpf.o)
# Rooms that are linked into both programs, the tests and the benchmarks.
ROOMS       := base json policy sql call manifest compile kernel audit
LIB_SOURCES := $(foreach room,$(ROOMS),$(wildcard user/$(room)/*.c)) \
               $(filter-out user/policyd/main.c,$(wildcard user/policyd/*.c))
LIB_OBJECTS := $(LIB_SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/user/kernel/embedded.o
LIBRARY     := $(BUILD)/libagentpol.a
AGENTPOL_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard user/agentpol/*.c))
POLICYD_OBJECTS  := $(BUILD)/user/policyd/main.o
PROGRAMS    := $(BUILD)/agentpol $(BUILD)/policyd
UNIT_TESTS   := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
KERNEL_TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/kernel/test_*.c))
TEST_TOOLS   := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/tools/*.c))
BENCHMARKS   := $(patsubst tools/%.c,$(BUILD)/tools/%,$(wildcard tools/bench-*.c))
FUZZERS      := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
E2E_TESTS    := $(wildcard tests/e2e/*.t)
# witness watches at the far end; all other files there are one program.
EVADE_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/evasion/witness.c,$(wildcard tests/evasion/*.c)))
BREACH_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out %/marker.c,$(wildcard tests/evasion/breach/*.c))) \
                  $(BUILD)/tests/evasion/breach/blobs.o
EVASION_TOOLS := $(BUILD)/tests/evasion/evade $(BUILD)/tests/evasion/witness $(BUILD)/tests/evasion/breach/breach
EVASION_TESTS := $(wildcard tests/evasion/*.t)

.PHONY: all
all: $(PROGRAMS) ## build agentpol and policyd (into build/)

# ---- BPF: CO-RE objects, the same for every kernel; nothing is read from the running one ----
BPF_ARCH := $(patsubst aarch64%,arm64,$(patsubst x86_64%,x86,$(shell uname -m)))
# clang's bpf target does not know where the C library keeps <asm/types.h>.
BPF_INCLUDES := -idirafter /usr/include/$(shell $(CC) -print-multiarch 2>/dev/null)
# A hook of the LSM has the parameters that the kernel gives it.
BPF_CFLAGS := -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) -g -O2 -Wall -Wextra -Wno-unused-parameter -Werror -I. $(BPF_INCLUDES)

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c
	$(call quiet,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c $< -o $@

# The objects travel inside the programs: one file to install, none to mix up.
$(BUILD)/user/kernel/embedded.o: user/kernel/embedded.S $(BPF_OBJECTS)
	$(call quiet,AS,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -Wa,-I$(BUILD)/bpf -c $< -o $@

# ---- user space ----
$(BUILD)/%.o: %.c
	$(call quiet,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(HARDEN) -MMD -MP -MF $(@:.o=.d) -c $< -o $@

$(LIBRARY): $(LIB_OBJECTS)
	$(call quiet,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/agentpol: $(AGENTPOL_OBJECTS) $(LIBRARY)
	$(call quiet,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/policyd: $(POLICYD_OBJECTS) $(LIBRARY)
	$(call quiet,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(LIBRARY)
	$(call quiet,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka -lpthread

$(addprefix $(BUILD)/tests/kernel/test_,leases names): $(BUILD)/tests/kernel/names_world.o
$(addprefix $(BUILD)/tests/kernel/test_,differential names unix): $(BUILD)/tests/kernel/random_text.o
$(BUILD)/tests/kernel/%: $(BUILD)/tests/kernel/%.o $(BUILD)/tests/kernel/harness.o $(LIBRARY)
	$(call quiet,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka -lpthread

# sql_rig plays policyd for the SQL guard; these tools alone need the library.
$(BUILD)/tests/tools/sql_rig $(BUILD)/tests/tools/schema_suite: $(BUILD)/tests/tools/%: $(BUILD)/tests/tools/%.o $(LIBRARY)
	$(call quiet,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/tests/tools/%: tests/tools/%.c
	$(call quiet,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(HARDEN) $(LDFLAGS) -o $@ $<

$(BUILD)/tests/evasion/evade: $(EVADE_OBJECTS)
	$(call quiet,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lpthread

$(BUILD)/tests/evasion/witness: $(BUILD)/tests/evasion/witness.o
	$(call quiet,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^

# Needs no library of the place where it runs: what may be executed there is a matter of the test.
$(BUILD)/tests/evasion/breach/breach: $(BREACH_OBJECTS)
	$(call quiet,LINK,$@)
	$(Q)$(CC) -static -o $@ $^ -lpthread

MARKER_FLAGS := -std=gnu11 -O2 -Wall -Wextra -Werror -nostdlib -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables
$(BUILD)/tests/evasion/breach/marker: tests/evasion/breach/marker.c
	$(call quiet,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(MARKER_FLAGS) -static -no-pie -s -o $@ $<

$(BUILD)/tests/evasion/breach/marker.so: tests/evasion/breach/marker.c
	$(call quiet,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(MARKER_FLAGS) -shared -fPIC -Wl,-e,_start -s -o $@ $<

$(BUILD)/tests/evasion/breach/blobs.o: tests/evasion/breach/blobs.S $(addprefix $(BUILD)/tests/evasion/breach/,marker marker.so)
	$(call quiet,AS,$<)
	$(Q)$(CC) -Wa,-I$(@D) -c $< -o $@

BENCH_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tools/bench-%.c,$(wildcard tools/*.c)))
$(BUILD)/tools/%: $(BUILD)/tools/%.o $(BENCH_OBJECTS) $(LIBRARY)
	$(call quiet,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lpthread

FUZZ_SOURCES := $(foreach room,base json policy sql call manifest compile,$(wildcard user/$(room)/*.c))
$(BUILD)/fuzz/%: tests/fuzz/%.c $(FUZZ_SOURCES) $(wildcard user/*/*.h bpf/*.h)
	$(call quiet,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -std=gnu11 -D_GNU_SOURCE $(INCLUDES) -O1 -g -fsanitize=fuzzer $(SANITIZE) -o $@ $< $(FUZZ_SOURCES) -lcjson -lcrypto -lssl -levent_core -lseccomp -lcap -lpg_query -lpcre2-8

.SECONDARY:

# ---- checks ----
.PHONY: test check check-agentdojo check-sql check-sql-mutants check-layers check-unit check-sanitized check-vm fuzz bench bench-call bench-egress bench-names bench-sql bench-vm bench-watch demo deps install uninstall clean format help tests

tests: all $(UNIT_TESTS) $(KERNEL_TESTS) $(TEST_TOOLS) $(EVASION_TOOLS)

check: deps ## everything from dependencies to green tests (as root)
	+$(Q)$(MAKE) --no-print-directory -j$$(nproc) tests
	+$(Q)$(MAKE) --no-print-directory test
	+$(Q)$(MAKE) --no-print-directory check-agentdojo
	$(Q)tools/vm.sh --deps --fetch >/dev/null || echo "other kernels: not all that their tests need can be had"
	+$(Q)$(MAKE) --no-print-directory check-vm

test: tests check-layers ## run the tests of what is built (as root)
	$(Q)BUILD=$(BUILD) CMOCKA_MESSAGE_OUTPUT=TAP prove --timer --merge --exec '' $(UNIT_TESTS) $(KERNEL_TESTS) $(E2E_TESTS) $(EVASION_TESTS)

check-unit: $(UNIT_TESTS) ## unit tests alone (no root)
	$(Q)BUILD=$(BUILD) CMOCKA_MESSAGE_OUTPUT=TAP prove --timer --merge --exec '' $(UNIT_TESTS)

check-sanitized: ## unit tests under ASan and UBSan (no root)
	+$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/sanitized OPTIMISE='-O1 -g $(SANITIZE)' HARDEN= LDFLAGS='$(SANITIZE)' check-unit

check-vm: tests ## the tests that need another kernel, under QEMU (KERNELS='6.1 7.3'; fetched once)
	$(Q)BUILD=$(BUILD) prove --timer --merge --exec '' tools/vm.sh :: $(KERNELS)

check-sql: $(BUILD)/agentpol ## the SQL guard's verdicts against a real PostgreSQL 15 (minutes)
	$(Q)BUILD=$(BUILD) tests/sql/oracle.py

check-agentdojo: $(BUILD)/agentpol ## what of AgentDojo's attacks and honest tasks is allowed (no root)
	$(Q)$(BUILD)/agentpol test policies/agentdojo
	$(Q)BUILD=$(BUILD) tools/agentdojo.py

check-sql-mutants: $(BUILD)/agentpol ## takes each check of SQL out: the oracle must find it out
	$(Q)tools/mutants-sql.sh

check-layers: ## no include runs up the table of rooms
	$(Q)tools/check-layers.sh

fuzz: $(FUZZERS) ## build the libFuzzer targets (build/fuzz/)

bench: bench-call bench-egress bench-names bench-sql bench-vm bench-watch ## every benchmark

bench-call: $(BENCHMARKS) $(PROGRAMS) ## what the MCP gateway adds to a tool call
	$(Q)AGENTPOL=$(BUILD)/agentpol $(BUILD)/tools/bench-call

bench-egress: $(BENCHMARKS) ## cost of egress enforcement, as ratios (as root)
	$(Q)$(BUILD)/tools/bench-egress
	$(Q)$(BUILD)/tools/bench-throughput

bench-names: $(BENCHMARKS) $(PROGRAMS) ## cost of host names, and of starting a command (as root)
	$(Q)$(BUILD)/tools/bench-names
	$(Q)BUILD=$(BUILD) tools/bench-start.sh

bench-sql: $(BENCHMARKS) $(PROGRAMS) ## cost of the SQL guard beside pgbouncer (as root)
	$(Q)BUILD=$(BUILD) tools/bench-sql.sh
	$(Q)$(BUILD)/tools/bench-decision

bench-watch: $(BENCHMARKS) ## what a watched cgroup costs the machine's other tasks (as root)
	$(Q)$(BUILD)/tools/bench-watch

bench-vm: $(BENCHMARKS) $(PROGRAMS) ## cost of the LSM's hooks, as instructions, on kernels under QEMU
	$(Q)BUILD=$(BUILD) tools/bench-vm.sh $(KERNELS)

demo: deps ## build, and show an agent under a manifest (as root)
	+$(Q)$(MAKE) --no-print-directory -s -j$$(nproc) all
	$(Q)BUILD=$(BUILD) tools/demo.sh

deps: ## install what the build and the tests need (Debian 12/13, Ubuntu 24.04)
	$(Q)tools/deps.sh

include docs/install.mk

clean: ## remove build/
	$(Q)rm -rf $(BUILD)

format: ## clang-format over the tree
	$(Q)clang-format -i $$(git ls-files '*.c' '*.h')

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
