// SPDX-License-Identifier: Apache-2.0
#include "sql/parameter_types.h"

#include <stddef.h>

#include "base/cleanup.h"

/* In order: it is searched by halves. */
static const uint16_t harmless[] = {
	16, /* bool */
	17, /* bytea */
	18, /* char */
	19, /* name */
	20, /* int8 */
	21, /* int2 */
	22, /* int2vector */
	23, /* int4 */
	25, /* text */
	26, /* oid */
	27, /* tid */
	28, /* xid */
	29, /* cid */
	30, /* oidvector */
	114, /* json */
	199, /* json[] */
	271, /* xid8[] */
	600, /* point */
	601, /* lseg */
	602, /* path */
	603, /* box */
	604, /* polygon */
	628, /* line */
	629, /* line[] */
	650, /* cidr */
	651, /* cidr[] */
	700, /* float4 */
	701, /* float8 */
	705, /* unknown */
	718, /* circle */
	719, /* circle[] */
	774, /* macaddr8 */
	775, /* macaddr8[] */
	790, /* money */
	791, /* money[] */
	829, /* macaddr */
	869, /* inet */
	1000, /* bool[] */
	1001, /* bytea[] */
	1002, /* char[] */
	1003, /* name[] */
	1005, /* int2[] */
	1006, /* int2vector[] */
	1007, /* int4[] */
	1009, /* text[] */
	1010, /* tid[] */
	1011, /* xid[] */
	1012, /* cid[] */
	1013, /* oidvector[] */
	1014, /* bpchar[] */
	1015, /* varchar[] */
	1016, /* int8[] */
	1017, /* point[] */
	1018, /* lseg[] */
	1019, /* path[] */
	1020, /* box[] */
	1021, /* float4[] */
	1022, /* float8[] */
	1027, /* polygon[] */
	1028, /* oid[] */
	1040, /* macaddr[] */
	1041, /* inet[] */
	1042, /* bpchar */
	1043, /* varchar */
	1082, /* date */
	1083, /* time */
	1114, /* timestamp */
	1115, /* timestamp[] */
	1182, /* date[] */
	1183, /* time[] */
	1184, /* timestamptz */
	1185, /* timestamptz[] */
	1186, /* interval */
	1187, /* interval[] */
	1231, /* numeric[] */
	1266, /* timetz */
	1270, /* timetz[] */
	1560, /* bit */
	1561, /* bit[] */
	1562, /* varbit */
	1563, /* varbit[] */
	1700, /* numeric */
	1790, /* refcursor */
	2201, /* refcursor[] */
	2950, /* uuid */
	2951, /* uuid[] */
	3220, /* pg_lsn */
	3221, /* pg_lsn[] */
	3614, /* tsvector */
	3615, /* tsquery */
	3643, /* tsvector[] */
	3645, /* tsquery[] */
	3802, /* jsonb */
	3807, /* jsonb[] */
	3904, /* int4range */
	3905, /* int4range[] */
	3906, /* numrange */
	3907, /* numrange[] */
	3908, /* tsrange */
	3909, /* tsrange[] */
	3910, /* tstzrange */
	3911, /* tstzrange[] */
	3912, /* daterange */
	3913, /* daterange[] */
	3926, /* int8range */
	3927, /* int8range[] */
	4072, /* jsonpath */
	4073, /* jsonpath[] */
	4451, /* int4multirange */
	4532, /* nummultirange */
	4533, /* tsmultirange */
	4534, /* tstzmultirange */
	4535, /* datemultirange */
	4536, /* int8multirange */
	5069, /* xid8 */
	6150, /* int4multirange[] */
	6151, /* nummultirange[] */
	6152, /* tsmultirange[] */
	6153, /* tstzmultirange[] */
	6155, /* datemultirange[] */
	6157, /* int8multirange[] */
};

bool parameter_type_is_harmless(uint32_t oid)
{
	size_t low = 0, high = ARRAY_SIZE(harmless);

	if (oid == 0)
		return true;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (harmless[middle] == oid)
			return true;
		if (harmless[middle] < oid)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}
