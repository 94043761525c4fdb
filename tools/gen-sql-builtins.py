#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints user/sql/builtins_table.c: PostgreSQL's own functions, operators and types, judged.

  tools/gen-sql-builtins.py > user/sql/builtins_table.c

Starts a server of its own (PostgreSQL 15, in a temporary directory, a Unix socket alone), reads its
catalog and takes it down again. The rules and the reviewed lists below are the judgement; the
table is only what they say about 3,244 functions. The output is the same on each run.

The question is always: what can a statement do with it that the grants do not show? Reading a
relation, a file, a setting or the catalog; running text as SQL; waiting; changing anything. What a
role may do with values that it may read anyway is harmless, and how long it takes is the server's
business (statement_timeout).
"""
import collections
import re
import sys

from postgres15 import Server

# ---- functions: what is stable or volatile, and harmless nevertheless --------------------------
# Stable because of the time zone, DateStyle or the transaction's clock: settings that only concern
# how a value is shown, and that the client may set anyway.
CLOCK_AND_STYLE = """
age date date_cmp_timestamptz date_eq_timestamptz date_ge_timestamptz date_gt_timestamptz
date_le_timestamptz date_lt_timestamptz date_ne_timestamptz date_part date_trunc extract
generate_series in_range interval_pl_timestamptz make_timestamptz money now numeric overlaps
statement_timestamp time timestamp timestamp_cmp_timestamptz timestamp_eq_timestamptz
timestamp_ge_timestamptz timestamp_gt_timestamptz timestamp_le_timestamptz
timestamp_lt_timestamptz timestamp_ne_timestamptz timestamptz timestamptz_cmp_date
timestamptz_cmp_timestamp timestamptz_eq_date timestamptz_eq_timestamp timestamptz_ge_date
timestamptz_ge_timestamp timestamptz_gt_date timestamptz_gt_timestamp timestamptz_le_date
timestamptz_le_timestamp timestamptz_lt_date timestamptz_lt_timestamp timestamptz_mi_interval
timestamptz_ne_date timestamptz_ne_timestamp timestamptz_pl_interval timetz timezone to_char
to_date to_number to_timestamp transaction_timestamp
"""
# Stable because they call the output function of a value that the statement has in its hands. A
# whole row as an argument is counted by the walker as all of its columns.
SHOWS_ITS_ARGUMENT = """
anytextcat textanycat array_to_json array_to_string concat concat_ws json_agg json_build_array
json_build_object json_object_agg jsonb_agg jsonb_build_array jsonb_build_object jsonb_object_agg
quote_literal quote_nullable row_to_json to_json to_jsonb pg_typeof pg_column_size
pg_column_compression pg_collation_for convert convert_from convert_to length
jsonb_path_exists_tz jsonb_path_match_tz jsonb_path_query_array_tz jsonb_path_query_first_tz
jsonb_path_query_tz enum_first enum_last enum_range
json_populate_record json_populate_recordset jsonb_populate_record jsonb_populate_recordset
json_to_record json_to_recordset jsonb_to_record jsonb_to_recordset
"""
# Who and where the session is: drivers ask at start, and the client has said most of it itself.
SESSION_ITSELF = """
current_database current_schema current_schemas current_user session_user getpgusername version pg_backend_pid pg_client_encoding getdatabaseencoding
pg_char_to_encoding pg_encoding_to_char pg_is_in_recovery pg_get_keywords
pg_current_xact_id_if_assigned txid_current_if_assigned pg_current_snapshot txid_current_snapshot
"""
# Text search reads its configuration by name ('english'): dictionaries that the server's
# administrator has installed, no tables. ts_stat and ts_rewrite, which run SQL, are below.
TEXT_SEARCH = """
to_tsvector to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery json_to_tsvector
jsonb_to_tsvector ts_headline ts_match_tq ts_match_tt get_current_ts_config
"""
# Volatile, but they only make a value: by chance or by the clock. setseed is not here: it changes
# what the session draws next.
CHANCE_AND_TIME = "random clock_timestamp timeofday gen_random_uuid"
# Of PostgreSQL 16 to 18, judged by their documentation; a server that lacks them reaches nothing of
# that name in pg_catalog, and another function of that name is seen in the catalog's snapshot.
NEWER = """
any_value array_reverse array_sample array_shuffle array_sort casefold crc32 crc32c date_add
date_subtract erf erfc gamma lgamma random_normal to_bin to_oct unicode_assigned
uuid_extract_timestamp uuid_extract_version uuidv4 uuidv7
"""
# Take an oid as the number that it is, and look nothing up.
OID_AS_NUMBER = """
oideq oidne oidlt oidle oidgt oidge oidlarger oidsmaller btoidcmp hashoid hashoidextended int8 max
min nameconcatoid oidsend
"""
REVIEWED = set(
    " ".join(
        [CLOCK_AND_STYLE, SHOWS_ITS_ARGUMENT, SESSION_ITSELF, TEXT_SEARCH, CHANCE_AND_TIME]
    ).split()
)
NEWER_NAMES = set(NEWER.split())
OID_NAMES = set(OID_AS_NUMBER.split())

# ---- functions: refused, the first pattern that matches gives the phrase ------------------------
LARGE = "builds values as large as its arguments say"
REFUSED = [
    # A bound on memory is not what the guard promises (a value ends at 1 GB in PostgreSQL, and
    # statement_timeout ends the rest), but nested thrice these take gigabytes for 49 bytes of SQL.
    (LARGE, r"repeat|lpad|rpad|array_fill|format"),
    ("runs SQL given as text", r"query_to_xml.*|cursor_to_xml.*|ts_stat|ts_rewrite"),
    ("reads other relations", r"(table|schema|database)_to_xml.*|pg_partition_\w+"
     r"|satisfies_hash_partition|pg_get_catalog_foreign_keys|pg_sequence_last_value"
     r"|currtid.*|pg_nextoid|pg_sequence_parameters|pg_get_publication_tables"),
    ("reads or builds XML", r"xml.*|xpath.*|.*_to_xml.*"),
    ("waits", r"pg_sleep.*"),
    ("takes locks", r"pg(_try)?_advisory_.*"),
    ("reads files", r"pg_read_(binary_)?file.*|pg_ls_.*|pg_stat_file|lo_import|pg_current_logfile"
     r"|pg_hba_file_rules|pg_ident_file_mappings|pg_show_all_file_settings|pg_timezone_names"
     r"|pg_available_extension.*|pg_extension_update_paths"),
    ("reads or writes large objects", r"lo_.*|loread|lowrite"),
    ("reads or changes sequences", r"nextval|currval|lastval|setval"),
    ("reads settings", r"current_setting|pg_show_all_settings|pg_settings_get_flags|pg_config"
     r"|pg_timezone_abbrevs"),
    ("changes settings", r"set_config|setseed"),
    ("ends or signals other sessions", r"pg_(terminate|cancel)_backend|pg_log_backend_.*"),
    ("sends notifications", r"pg_notify|pg_listening_channels|pg_notification_queue_usage"),
    ("changes the server", r"pg_reload_conf|pg_rotate_logfile.*|pg_promote|pg_switch_wal"
     r"|pg_create_.*|pg_drop_.*|pg_copy_.*|pg_(backup|wal_replay)_\w+|pg_replication_\w+"
     r"|pg_logical_.*|pg_import_.*|pg_export_snapshot|pg_stat_(reset|force|clear).*"
     r"|binary_upgrade_.*|brin_(de)?summarize.*|gin_clean_.*|pg_stop_making_.*"
     r"|pg_extension_config_dump|pg_current_xact_id|txid_current"),
    ("tells of the server", r"pg_stat_.*|pg_control_.*|pg_current_wal.*|pg_last_.*|pg_walfile.*"
     r"|pg_wal_(?!lsn_diff)\w+|pg_lock_status|pg_prepared_.*|pg_cursor|pg_blocking_pids"
     r"|pg_safe_snapshot.*|pg_isolation_.*|pg_get_(backend|shmem|wal|replication|multixact)\w+"
     r"|pg_show_.*|pg_conf_load_time|pg_postmaster_.*|pg_jit_available|inet_(client|server)_.*"
     r"|pg_xact_.*|txid_status|pg_is_wal_.*|current_query|pg_trigger_depth|mxid_age"
     r"|pg_event_trigger_.*|pg_tablespace_.*|pg_(database|relation|table|indexes|total_relation)_size"
     r"|pg_database_.*|pg_collation_actual_version|pg_is_other_temp_schema|pg_my_temp_schema"),
    ("reads dictionaries", r"ts_lexize|ts_parse|ts_token_type|ts_debug"),
    ("tells who may do what", r"has_.*|pg_has_role|acl.*|makeaclitem|row_security_active"),
    ("tells of the catalog", r"pg_get_.*|.*_description|pg_describe_.*|pg_identify_.*|to_reg.*"
     r"|pg_\w+_is_visible|pg_relation_.*|pg_filenode_.*|pg_index.*_has_.*|format_type"
     r"|oidvectortypes|pg_options_to_table|pg_column_is_.*|pg_mcv_list_items|pg_indexam_.*"
     r"|hash_aclitem.*|regclass|pg_visible_in_.*"),
]
REFUSED = [(why, re.compile(pattern + r"\Z")) for why, pattern in REFUSED]
# What visibility functions of snapshots tell is of numbers that the caller brings.
NOT_REFUSED = set("pg_visible_in_snapshot row".split())
MACHINERY = "is a part of PostgreSQL's own machinery"
LOOKS_UP = "looks objects up by name or number"
UNREVIEWED = "depends on more than its arguments"

INTERNAL = {
    "internal", "cstring", "trigger", "event_trigger", "language_handler", "fdw_handler",
    "index_am_handler", "tsm_handler", "table_am_handler", "pg_ddl_command",
}
LOOKUP_TYPES = {
    "oid", "regproc", "regprocedure", "regoper", "regoperator", "regclass", "regtype",
    "regconfig", "regdictionary", "regrole", "regnamespace", "regcollation", "aclitem",
    "_aclitem", "_oid", "_regclass", "_regtype", "_regprocedure",
}
# Types made by the server for itself; no statement has a value of them but from the catalog.
CATALOG_TYPES = {
    "pg_node_tree", "pg_ndistinct", "pg_dependencies", "pg_mcv_list", "pg_brin_bloom_summary",
    "pg_brin_minmax_multi_summary",
}

# ---- types ---------------------------------------------------------------------------------------
# The input function of reg* looks names up, aclitem's looks roles up, xml's runs a parser of its
# own over the text, and those of CATALOG_TYPES refuse any.
def type_is_harmless(row):
    name, kind = row["typname"], row["kind"]
    base = name[1:] if name.startswith("_") else name
    if kind not in "brm":  # pseudo-types, row types of the catalog's relations, arrays of them
        return False
    return not (base in LOOKUP_TYPES - {"oid"} or base in CATALOG_TYPES or base in ("xml", "cstring")
                or base.startswith("reg"))


# ---- columns of the catalog ----------------------------------------------------------------------
# Never: grants, defaults as expressions where only types are open, options that may hold secrets,
# rules' and functions' bodies, statistics.
TYPES_LEVEL = {
    "pg_catalog": {
        "pg_type": "* -typacl -typdefault -typdefaultbin",
        "pg_range": "*",
        "pg_enum": "*",
        "pg_namespace": "oid nspname",
    }
}
# What psql's \d, \dt, \dv, \di, \ds, \dn and \d NAME read, of versions 12 to 18, and the views of
# information_schema that tell the same.
SCHEMA_LEVEL = {
    "pg_catalog": {
        "pg_am": "oid amname amtype",
        "pg_attrdef": "*",
        "pg_attribute": "* -attacl -attfdwoptions -attmissingval",
        "pg_class": "* -relacl",
        "pg_collation": "oid collname collnamespace collprovider collisdeterministic",
        "pg_constraint": "* +conenforced +conperiod",
        "pg_depend": "*",
        "pg_description": "*",
        "pg_enum": "*",
        "pg_foreign_server": "oid srvname",
        "pg_foreign_table": "ftrelid ftserver",
        "pg_index": "*",
        "pg_inherits": "*",
        "pg_namespace": "oid nspname nspowner",
        "pg_partitioned_table": "*",
        "pg_policy": "*",
        "pg_proc": "oid proname pronamespace",
        "pg_publication": "* +pubgencols +pubviaroot",
        "pg_publication_namespace": "*",
        "pg_publication_rel": "*",
        "pg_range": "*",
        "pg_rewrite": "* -ev_action -ev_qual",
        "pg_roles": "oid rolname",
        "pg_sequence": "*",
        "pg_statistic_ext": "* -stxexprs",
        "pg_trigger": "*",
        "pg_type": "* -typacl",
    },
    "information_schema": {
        "columns": "*",
        "constraint_column_usage": "*",
        "key_column_usage": "*",
        "referential_constraints": "*",
        "schemata": "*",
        "sequences": "*",
        "table_constraints": "*",
        "tables": "*",
        "views": "*",
    },
}
TYPES_FUNCTIONS = "format_type pg_type_is_visible to_regtype"
SCHEMA_FUNCTIONS = TYPES_FUNCTIONS + """
col_description obj_description oidvectortypes pg_collation_is_visible pg_function_is_visible
pg_get_constraintdef pg_get_expr pg_get_function_arguments pg_get_function_identity_arguments
pg_get_function_result pg_get_indexdef pg_get_partition_constraintdef pg_get_partkeydef
pg_get_ruledef pg_get_serial_sequence pg_get_statisticsobjdef_columns pg_get_triggerdef
pg_get_userbyid pg_get_viewdef pg_partition_ancestors pg_partition_root pg_relation_is_publishable
pg_statistics_obj_is_visible pg_table_is_visible to_regclass to_regnamespace
"""
TYPES_TYPES = "regtype"
SCHEMA_TYPES = "regclass regcollation regnamespace regproc regprocedure regrole regtype"


def overload_fault(row):
    """Why this overload of an unreviewed function is not harmless; None where it is."""
    arguments = row["arguments"].split()
    if row["prorettype"] in INTERNAL or INTERNAL & set(arguments) or row["prokind"] == "p":
        return MACHINERY
    if CATALOG_TYPES & set(arguments + [row["prorettype"]]):
        return MACHINERY
    if LOOKUP_TYPES & set(arguments) and row["proname"] not in OID_NAMES:
        return LOOKS_UP
    if row["prorettype"] in LOOKUP_TYPES - {"oid"}:
        return LOOKS_UP
    if row["provolatile"] != "i":
        return UNREVIEWED
    return None


def function_fault(name, overloads):
    # No value of type internal can be had in SQL: such an overload can't be called.
    callable_ = [row for row in overloads if "internal" not in row["arguments"].split()]
    if not callable_:
        return MACHINERY
    if name not in NOT_REFUSED and name not in REVIEWED:
        for why, pattern in REFUSED:
            if pattern.match(name):
                return why
    if name in REVIEWED:
        return None
    for row in callable_:
        if why := overload_fault(row):
            return why
    return None


def operator_fault(row, harmless):
    if LOOKUP_TYPES - {"oid"} & {row["oprleft"], row["oprright"]} and row["provolatile"] != "i":
        return LOOKS_UP
    if row["provolatile"] != "i" and row["proname"] not in harmless:
        return UNREVIEWED
    return None


def pick(spec, columns):
    words = spec.split()
    if words[0] != "*":
        missing = [w for w in words if w not in columns]
        if missing:
            sys.exit(f"no such columns: {missing}")
        return words
    dropped = {w[1:] for w in words if w.startswith("-")}
    if dropped - set(columns):
        sys.exit(f"no such columns: {dropped - set(columns)}")
    added = [w[1:] for w in words if w.startswith("+") and w[1:] not in columns]
    return [c for c in columns if c not in dropped] + added


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def print_names(declaration, names, ended=False):
    print(f"{declaration} = {{")
    line = "\t"
    for name in [quote(n) for n in sorted(names)] + (["NULL"] if ended else []):
        if len(line.expandtabs(8)) + len(name) + 1 > 99:
            print(line.rstrip())
            line = "\t"
        line += name + ", "
    if line.strip():
        print(line.rstrip())
    print("};")


def print_list(symbol, names):
    print()
    print_names(f"static const char *const {symbol}_names[]", names)
    print(f"const struct builtin_names {symbol} = {{{symbol}_names, "
          f"sizeof({symbol}_names) / sizeof({symbol}_names[0])}};")


def print_columns(symbol, level, known):
    rows = []
    for schema in sorted(level):
        for relation in sorted(level[schema]):
            variable = f"{symbol}_{schema}_{relation}"
            print()
            print_names(f"static const char *const {variable}[]",
                        pick(level[schema][relation], known[schema, relation]), ended=True)
            rows.append(f"\t{{{quote(schema)}, {quote(relation)}, {variable}}},")
    print(f"\nconst struct builtin_relation {symbol}_relations[] = {{")
    print("\n".join(rows))
    print(f"}};\nconst size_t {symbol}_relation_count = "
          f"sizeof({symbol}_relations) / sizeof({symbol}_relations[0]);")


def main():
    with Server() as server:
        functions = server.rows(
            "SELECT p.proname, p.provolatile, p.prokind, r.typname AS prorettype,"
            " coalesce((SELECT string_agg(t.typname, ' ' ORDER BY n) FROM"
            " unnest(p.proargtypes) WITH ORDINALITY a(oid, n) JOIN pg_type t ON t.oid = a.oid), '')"
            " AS arguments FROM pg_proc p JOIN pg_type r ON r.oid = p.prorettype"
            " WHERE p.pronamespace = 'pg_catalog'::regnamespace"
            ' ORDER BY p.proname COLLATE "C", p.oid')
        operators = server.rows(
            "SELECT o.oprname, p.proname, p.provolatile, coalesce(l.typname, '') AS oprleft,"
            " r.typname AS oprright FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode"
            " LEFT JOIN pg_type l ON l.oid = o.oprleft JOIN pg_type r ON r.oid = o.oprright"
            " WHERE o.oprnamespace = 'pg_catalog'::regnamespace"
            ' ORDER BY o.oprname COLLATE "C", o.oid')
        types = server.rows(
            "SELECT t.typname, CASE WHEN t.typcategory = 'A' AND e.oid IS NOT NULL THEN e.typtype"
            " ELSE t.typtype END AS kind FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem"
            " WHERE t.typnamespace = 'pg_catalog'::regnamespace"
            ' ORDER BY t.typname COLLATE "C"')
        columns = server.rows(
            "SELECT n.nspname, c.relname, a.attname FROM pg_attribute a"
            " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE a.attnum > 0 AND NOT a.attisdropped"
            " AND n.nspname IN ('pg_catalog', 'information_schema') ORDER BY 1, 2, a.attnum")
        version = server.rows("SHOW server_version_num")[0]["server_version_num"]
    if int(version) // 10000 != 15:
        sys.exit(f"this is PostgreSQL {version}; the table is made from 15")

    by_name = collections.defaultdict(list)
    for row in functions:
        by_name[row["proname"]].append(row)
    stale = [n for n in REVIEWED | OID_NAMES if n not in by_name]
    if stale:
        sys.exit(f"reviewed, but there is no such function: {' '.join(sorted(stale))}")
    harmless, refused = set(NEWER_NAMES), collections.defaultdict(list)
    for name, overloads in by_name.items():
        why = function_fault(name, overloads)
        if why:
            refused[why].append(name)
        else:
            harmless.add(name)
    signs = collections.defaultdict(list)
    for row in operators:
        signs[row["oprname"]].append(operator_fault(row, harmless))
    harmless_signs = [sign for sign, faults in signs.items() if not any(faults)]
    known = collections.defaultdict(list)
    for row in columns:
        known[row["nspname"], row["relname"]].append(row["attname"])
    unknown = [n for n in (SCHEMA_FUNCTIONS).split() if n not in by_name]
    if unknown:
        sys.exit(f"opened by a catalog level, but there is no such function: {unknown}")

    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Made by tools/gen-sql-builtins.py from PostgreSQL 15; do not edit. */")
    print("/* clang-format off */")
    print('#include "sql/builtins_table.h"')
    print(f"\n/* {len(harmless)} of {len(by_name)} names, and {len(NEWER_NAMES)} of later versions. */")
    print_list("builtin_harmless_functions", harmless)
    print_list("builtin_newer_functions", NEWER_NAMES)
    print_list("builtin_harmless_operators", harmless_signs)
    print_list("builtin_harmless_types",
               [row["typname"] for row in types if type_is_harmless(row)])
    print_list("builtin_types_functions", set(TYPES_FUNCTIONS.split()))
    print_list("builtin_schema_functions", set(SCHEMA_FUNCTIONS.split()))
    print_list("builtin_types_types", TYPES_TYPES.split())
    print_list("builtin_schema_types", SCHEMA_TYPES.split())
    reasons = sorted(refused)
    for number, why in enumerate(reasons):
        print(f"\n/* {why} */")
        print_names(f"static const char *const refused_{number}[]", refused[why])
    print("\nconst struct builtin_refusal builtin_refusals[] = {")
    for number, why in enumerate(reasons):
        print(f"\t{{{quote(why)}, {{refused_{number}, "
              f"sizeof(refused_{number}) / sizeof(refused_{number}[0])}}}},")
    print("};\nconst size_t builtin_refusal_count = "
          "sizeof(builtin_refusals) / sizeof(builtin_refusals[0]);")
    print_columns("builtin_types", TYPES_LEVEL, known)
    print_columns("builtin_schema", SCHEMA_LEVEL, known)


if __name__ == "__main__":
    main()
