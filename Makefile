# SPDX-License-Identifier: Apache-2.0
#
# make              build/clawverify and its workers beside it
# make check        the tests: no network, no root
# make demo         one agent passed, offline
# make lint         arrows between the rooms, sizes, format
# make bench        speed and memory, beside the peers that are installed
#                   (BENCH=--small: up to 1 GiB instead of 4)
# make e2e          real peers on loopback (docker, cosign, npm): wants root
# make conformance  the public vectors under CV_SHARED (../shared)
# make sweep        every allocation and network answer fails in turn
# make mutate       every check of the verifiers taken away in turn: a test has to
#                   notice (MUTATE='--file trust/tsa.c -v': one file, all results)
# make fuzz         every reader for FUZZ_SECONDS (10); wants clang
# make install      to PREFIX (/usr/local), below DESTDIR
# make clean        remove what was built
# make help         this list
#
# BUILD=dir puts everything elsewhere; SAN=address,undefined builds with
# sanitizers (workers then run unconfined and say so).

PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/clawverify
DATADIR    ?= $(PREFIX)/share/clawverify
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/clawverify
VERSION    := 0.1.0

CC         ?= gcc
AR         ?= ar
PKGCONFIG  ?= pkg-config
SAN        ?=
BUILD      ?= build
Q          := $(if $(V),,@)

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wcast-qual -Wwrite-strings -Wvla -Wstrict-prototypes \
	-Wmissing-prototypes -Wimplicit-fallthrough -Wundef -Wformat=2 \
	-Wpointer-arith -Werror -Wno-error=deprecated-declarations
HARDEN := -fstack-protector-strong -fPIE -fno-common
ifeq ($(SAN),)
OPT ?= -O2
HARDEN += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
else
OPT ?= -O1
HARDEN += -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
SANLD := -fsanitize=$(SAN)
endif

CV_CPPFLAGS := -D_GNU_SOURCE -DCV_VERSION='"$(VERSION)"' \
	-DCV_LIBEXECDIR='"$(LIBEXECDIR)"' -DCV_DATADIR='"$(DATADIR)"' -I.
CV_CFLAGS  := -std=c11 -g $(OPT) $(WARN) $(HARDEN)
CV_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANLD)
ALLFLAGS    = $(CV_CPPFLAGS) $(CPPFLAGS) $(CV_CFLAGS) $(CFLAGS)

LIBS_VERIFY   := -lcrypto -ljansson
LIBS_TRUST    := -lcrypto -ljansson -lpcre2-8
LIBS_CONTENTS := -lcrypto -ljansson -lz -lzstd -lsqlite3
# ISA-L's igzip unpacks twice as fast as zlib; without it zlib does all of it.
ifeq ($(shell $(PKGCONFIG) --exists libisal 2>/dev/null && echo yes),yes)
CV_CPPFLAGS   += -DCV_HAVE_ISAL
LIBS_CONTENTS += -lisal
endif
LIBS_IMPORT   := $(LIBS_CONTENTS) -larchive
LIBS_FETCH    := -lcurl -lcrypto -ljansson

src = $(filter-out %/main.c,$(foreach d,$(1),$(wildcard $(d)/*.c)))
obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

SRC_base   := $(call src,trust/base)
SRC_trust  := $(call src,trust)
SRC_sbom   := $(call src,sbom sbom/found sbom/claimed sbom/known)
SRC_fetch  := $(call src,fetch)
SRC_verify := $(call src,verify verify/report verify/gates)
ROOMS      := base trust sbom fetch verify
ARCHIVES   := $(foreach r,$(ROOMS),$(BUILD)/libcv$(r).a)

PROGRAMS := clawverify clawverify-trust clawverify-contents clawverify-import clawverify-fetch

.PHONY: all check lint bench demo install uninstall clean help fuzz fuzzers sweep mutate \
	conformance e2e format
.DELETE_ON_ERROR:
.SECONDARY:

all: $(addprefix $(BUILD)/,$(PROGRAMS))

help:
	@sed -n 's/^# \(make .*\|   .*\)/\1/p' Makefile

# ---- objects, one archive a room ----

# Objects depend on the flags that made them.
$(BUILD)/flags: FORCE
	@mkdir -p $(BUILD)
	@echo '$(CC) $(ALLFLAGS) $(CV_LDFLAGS)' | cmp -s - $@ || \
		echo '$(CC) $(ALLFLAGS) $(CV_LDFLAGS)' > $@
.PHONY: FORCE
FORCE:

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(dir $@)
	@echo "  CC   $<"
	$(Q)$(CC) $(ALLFLAGS) -MMD -MP -c -o $@ $<

# the presets are taken in by the assembler (verify/embed.c)
$(BUILD)/obj/verify/embed.o: $(wildcard trustroots/presets/*.json) trustroots/sigstore/trusted_root.json

# The samples of `clawverify demo`, taken into the program.
DEMO := $(sort $(shell find verify/demo -mindepth 2 -type f))
$(BUILD)/gen/demo_files.c: verify/demo/table.sh $(DEMO)
	@mkdir -p $(dir $@)
	$(Q)verify/demo/table.sh $(DEMO) > $@
$(BUILD)/obj/verify/demo_files.o: $(BUILD)/gen/demo_files.c $(BUILD)/flags
	@mkdir -p $(dir $@)
	@echo "  CC   $<"
	$(Q)$(CC) $(ALLFLAGS) -c -o $@ $<
$(BUILD)/libcvverify.a: $(BUILD)/obj/verify/demo_files.o

define room
$(BUILD)/libcv$(1).a: $$(call obj,$$(SRC_$(1)))
	@echo "  AR   $$@"
	@rm -f $$@
	$(Q)$$(AR) rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call room,$(r))))

# ---- programs ----

# link(name, main, archives, libraries)
define program
$(BUILD)/$(1): $(BUILD)/obj/$(2).o $(3:%=$(BUILD)/libcv%.a)
	@echo "  LD   $$@"
	$(Q)$$(CC) $$(CV_LDFLAGS) $$(LDFLAGS) -o $$@ $$^ $(4)
endef
$(eval $(call program,clawverify,verify/main,verify base,$(LIBS_VERIFY)))
$(eval $(call program,clawverify-trust,trust/main,trust base,$(LIBS_TRUST)))
$(eval $(call program,clawverify-contents,sbom/main,sbom base,$(LIBS_CONTENTS)))
$(eval $(call program,clawverify-import,sbom/import/main,sbom base,$(LIBS_IMPORT)))
$(eval $(call program,clawverify-fetch,fetch/main,fetch base,$(LIBS_FETCH)))

# ---- tests ----

SUPPORT := $(call obj,$(wildcard tests/support/*.c))
UNIT    := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))

# A unit test is named after the room that it tests, test_ROOM_what, and is
# linked with that room and what lies beneath it.
# unit(room, archives, libraries)
define unit
$(BUILD)/tests/test_$(1)_%: $(BUILD)/obj/tests/unit/test_$(1)_%.o $(SUPPORT) $(2:%=$(BUILD)/libcv%.a)
	@mkdir -p $$(dir $$@)
	@echo "  LD   $$@"
	$(Q)$$(CC) $$(CV_LDFLAGS) $$(LDFLAGS) -o $$@ $$< $(SUPPORT) $(2:%=$(BUILD)/libcv%.a) $(3)
endef
$(eval $(call unit,base,base,$(LIBS_VERIFY)))
$(eval $(call unit,trust,trust base,$(LIBS_TRUST)))
$(eval $(call unit,sbom,sbom base,$(LIBS_IMPORT)))
$(eval $(call unit,fetch,fetch base,$(LIBS_FETCH)))
$(eval $(call unit,verify,verify base,$(LIBS_VERIFY)))

# Programs that tests start: tests/helpers/NAME.c becomes NAME there.
HELPERS := $(patsubst tests/helpers/%.c,$(BUILD)/tests/helpers/%, \
	$(filter-out %/failmalloc.c,$(wildcard tests/helpers/*.c)))
$(BUILD)/tests/helpers/%: $(BUILD)/obj/tests/helpers/%.o $(BUILD)/libcvbase.a
	@mkdir -p $(dir $@)
	@echo "  LD   $@"
	$(Q)$(CC) $(CV_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_VERIFY)

# Preloaded by tests/sweep; a sanitizer has an allocator of its own.
ifeq ($(SAN),)
HELPERS += $(BUILD)/tests/helpers/failmalloc.so
endif
$(BUILD)/tests/helpers/failmalloc.so: tests/helpers/failmalloc.c $(BUILD)/flags
	@mkdir -p $(dir $@)
	@echo "  LD   $@"
	$(Q)$(CC) $(CV_CPPFLAGS) -std=c11 -O1 -fPIC -shared -fno-builtin -o $@ $<

# What speaks the protocol of a public suite: tests/conformance/NAME.c.
SUITES := $(patsubst tests/conformance/%.c,$(BUILD)/tests/conformance/%,$(wildcard tests/conformance/*.c))
$(BUILD)/obj/tests/conformance/sigstore.o: trustroots/sigstore/trusted_root.json
$(BUILD)/tests/conformance/%: $(BUILD)/obj/tests/conformance/%.o $(BUILD)/libcvtrust.a $(BUILD)/libcvbase.a
	@mkdir -p $(dir $@)
	@echo "  LD   $@"
	$(Q)$(CC) $(CV_LDFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_TRUST)

units: $(UNIT) $(HELPERS) $(SUITES)

check: all units
	$(Q)tests/run --build $(BUILD)

# Fuzzers, tests/fuzz/fuzz_ROOM_what.c, always by clang with libFuzzer and both
# sanitizers. What they find in FUZZ_SECONDS each is kept in $(BUILD)/fuzz/corpus.
FUZZ_SECONDS ?= 10
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZLD  := -fsanitize=fuzzer,address,undefined

# fuzzer(room, archives, libraries)
define fuzzer
$(BUILD)/fuzz_$(1)_%: $(BUILD)/obj/tests/fuzz/fuzz_$(1)_%.o $(2:%=$(BUILD)/libcv%.a)
	@echo "  LD   $$@"
	$(Q)$$(CC) $$(CV_LDFLAGS) $$(LDFLAGS) $$(FUZZLD) -o $$@ $$< $(2:%=$(BUILD)/libcv%.a) $(3)
endef
$(eval $(call fuzzer,base,base,$(LIBS_VERIFY)))
$(eval $(call fuzzer,trust,trust base,$(LIBS_TRUST)))
$(eval $(call fuzzer,sbom,sbom base,$(LIBS_IMPORT)))
$(eval $(call fuzzer,fetch,fetch base,$(LIBS_FETCH)))
$(eval $(call fuzzer,verify,verify trust base,$(LIBS_VERIFY)))

fuzzers: $(FUZZERS)

fuzz:
	$(Q)$(MAKE) --no-print-directory CC=clang BUILD=$(BUILD)/fuzz \
		SAN=fuzzer-no-link,address,undefined fuzzers
	$(Q)tests/fuzz/run $(BUILD)/fuzz $(FUZZ_SECONDS)

# The public vectors that lie under CV_SHARED, a count for each suite.
conformance: units
	$(Q)tests/conformance/run $(BUILD)

# Real peers on loopback; what is not installed is skipped and counted so.
e2e: all
	$(Q)tests/run --build $(BUILD) --limit 900 --jobs 1 -v tests/e2e/agent.py

# Every allocation and network answer fails in turn; SWEEP=N: N allocations a program.
sweep: all units
	$(Q)tests/sweep/sweep.py $(if $(SWEEP),--faults $(SWEEP))

# Without optimisation: what is built is run once. Objects of its own.
mutate:
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/mutate OPT=-O0 CFLAGS=-w \
		$(patsubst tests/unit/%.c,$(BUILD)/mutate/tests/%,$(wildcard tests/unit/test_trust_*.c))
	$(Q)CC='$(CC)' LIBS='$(LIBS_TRUST)' tests/mutate/run --build $(BUILD)/mutate $(MUTATE)

demo: all
	$(Q)$(BUILD)/clawverify demo

bench: all $(BUILD)/tests/helpers/measure
	$(Q)tests/bench/run --build $(BUILD) $(BENCH)

# ---- installation ----

MAN1 := $(wildcard docs/man/*.1)
MAN7 := $(wildcard docs/man/*.7)

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DATADIR)/schema \
		$(DESTDIR)$(DATADIR)/presets $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man7 \
		$(DESTDIR)$(DOCDIR)/decisions
	install -m 755 $(BUILD)/clawverify $(DESTDIR)$(BINDIR)/
	install -m 755 $(addprefix $(BUILD)/,$(filter-out clawverify,$(PROGRAMS))) \
		$(DESTDIR)$(LIBEXECDIR)/
	install -m 644 verify/schema/*.json $(DESTDIR)$(DATADIR)/schema/
	install -m 644 trustroots/presets/*.json $(DESTDIR)$(DATADIR)/presets/
	install -m 644 $(MAN1) $(DESTDIR)$(MANDIR)/man1/
	install -m 644 $(MAN7) $(DESTDIR)$(MANDIR)/man7/
	install -m 644 README.md docs/*.md $(DESTDIR)$(DOCDIR)/
	install -m 644 docs/decisions/*.md $(DESTDIR)$(DOCDIR)/decisions/

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/clawverify
	rm -rf $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DATADIR) $(DESTDIR)$(DOCDIR)
	rm -f $(addprefix $(DESTDIR)$(MANDIR)/man1/,$(notdir $(MAN1))) \
		$(addprefix $(DESTDIR)$(MANDIR)/man7/,$(notdir $(MAN7)))

# ---- guards ----

lint: all
	$(Q)tests/lint/includes
	$(Q)tests/lint/shape
	$(Q)tests/lint/objects $(BUILD)
	$(Q)tests/lint/selftest
	$(Q)if command -v clang-format >/dev/null; then \
		find trust sbom fetch verify -name '*.[ch]' | \
		xargs clang-format --dry-run -Werror; \
	else echo 'lint: no clang-format here, format not checked'; fi

format:
	find trust sbom fetch verify tests -name '*.[ch]' | xargs clang-format -i

clean:
	rm -rf build build-*

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
