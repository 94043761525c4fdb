#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The SQL guard's verdicts against a real PostgreSQL: a sample. The full form is `make check-sql`.
set -u
cd "$(dirname "$0")/../.." || exit 1
exec tests/sql/oracle.py --quick
