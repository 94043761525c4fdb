# SPDX-License-Identifier: Apache-2.0
# `make install` and `make uninstall`; included by the Makefile. For packagers: DESTDIR, PREFIX, and
# each folder below can be set on the command line.
DESTDIR ?=
PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
MANDIR  ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share/agentpol
DOCDIR  ?= $(PREFIX)/share/doc/agentpol
UNITDIR ?= $(PREFIX)/lib/systemd/system
BASH_COMPLETIONS ?= $(PREFIX)/share/bash-completion/completions
ZSH_COMPLETIONS  ?= $(PREFIX)/share/zsh/site-functions
FISH_COMPLETIONS ?= $(PREFIX)/share/fish/vendor_completions.d

MAN_PAGES := $(wildcard docs/man/man*/*.[158])
POLICIES  := $(wildcard policies/*.json)

# file:target pairs; one list, so that uninstall removes what install has put there.
INSTALL_PROGRAMS := $(BUILD)/agentpol:$(BINDIR)/agentpol $(BUILD)/policyd:$(SBINDIR)/policyd
INSTALL_DATA := \
  $(foreach page,$(MAN_PAGES),$(page):$(MANDIR)/$(page:docs/man/%=%)) \
  $(foreach file,$(POLICIES),$(file):$(DATADIR)/$(file)) \
  docs/completions/agentpol.bash:$(BASH_COMPLETIONS)/agentpol \
  docs/completions/policyd.bash:$(BASH_COMPLETIONS)/policyd \
  docs/completions/_agentpol:$(ZSH_COMPLETIONS)/_agentpol \
  docs/completions/agentpol.fish:$(FISH_COMPLETIONS)/agentpol.fish \
  docs/completions/policyd.fish:$(FISH_COMPLETIONS)/policyd.fish \
  $(foreach file,README.md CHANGELOG.md LICENSE,$(file):$(DOCDIR)/$(file)) \
  bpf/LICENSE:$(DOCDIR)/LICENSE.bpf
UNIT := $(UNITDIR)/policyd.service

.PHONY: install uninstall
install: $(BUILD)/agentpol $(BUILD)/policyd ## install below PREFIX (/usr/local); honours DESTDIR
	$(Q)for pair in $(INSTALL_PROGRAMS); do \
	  install -D -m 0755 "$${pair%%:*}" "$(DESTDIR)$${pair#*:}" || exit 1; done
	$(Q)for pair in $(INSTALL_DATA); do \
	  install -D -m 0644 "$${pair%%:*}" "$(DESTDIR)$${pair#*:}" || exit 1; done
	$(Q)install -d -m 0755 "$(DESTDIR)$(UNITDIR)"
	$(Q)sed -e 's|@BINDIR@|$(BINDIR)|' -e 's|@SBINDIR@|$(SBINDIR)|' docs/policyd.service \
	  >"$(DESTDIR)$(UNIT)"
	$(Q)chmod 0644 "$(DESTDIR)$(UNIT)"

# Configuration, log and state stay; so does what is enforced: `policyd --unload` before this.
uninstall: ## remove what install has put there
	$(Q)for pair in $(INSTALL_PROGRAMS) $(INSTALL_DATA); do rm -f "$(DESTDIR)$${pair#*:}"; done
	$(Q)rm -f "$(DESTDIR)$(UNIT)"
	$(Q)rmdir "$(DESTDIR)$(DATADIR)/policies" "$(DESTDIR)$(DATADIR)" "$(DESTDIR)$(DOCDIR)" 2>/dev/null || true
