//! Where the viewers of a country are, for databases that have countries alone: degrees north and east, the mean of the
//! country's networks in DB-IP's city database of 2026-06 (CC BY 4.0, https://db-ip.com). Good enough to choose a POP by.
import type { Coordinates } from './distance.ts'

const TABLE =
  'AD 43 2, AE 25 55, AF 34 68, AG 17 -62, AI 18 -63, AL 41 20, AM 40 45, AO -9 13, AQ -83 132, ' +
  'AR -34 -60, AS -14 -171, AT 48 16, AU -34 143, AW 13 -70, AX 60 20, AZ 40 50, BA 44 18, BB 13 -60, ' +
  'BD 24 90, BE 51 4, BF 12 -2, BG 43 24, BH 26 51, BI -3 30, BJ 7 2, BL 18 -63, BM 32 -65, BN 5 115, ' +
  'BO -17 -66, BQ 12 -68, BR -19 -46, BS 25 -77, BT 27 90, BV -54 3, BW -24 26, BY 54 28, BZ 17 -88, ' +
  'CA 48 -85, CC -12 97, CD -5 17, CF 5 19, CG -4 15, CH 47 8, CI 6 -4, CK -21 -160, CL -33 -71, CM 4 11, ' +
  'CN 34 116, CO 6 -75, CR 10 -84, CU 23 -82, CV 16 -24, CW 12 -69, CX -10 106, CY 35 33, CZ 50 15, ' +
  'DE 51 9, DJ 12 43, DK 56 11, DM 15 -61, DO 19 -70, DZ 36 3, EC -1 -79, EE 59 25, EG 30 31, EH 27 -13, ' +
  'ER 15 39, ES 40 -3, ET 9 39, FI 61 25, FJ -18 178, FK -52 -58, FM 7 157, FO 62 -7, FR 48 3, GA 0 10, ' +
  'GB 52 -1, GD 12 -62, GE 42 45, GF 5 -52, GG 49 -3, GH 6 0, GI 36 -5, GL 65 -51, GM 13 -17, GN 10 -14, ' +
  'GP 16 -62, GQ 3 9, GR 38 24, GS -54 -37, GT 15 -91, GU 13 145, GW 12 -16, GY 7 -58, HK 22 114, ' +
  'HM -53 74, HN 15 -87, HR 45 16, HT 19 -72, HU 47 19, ID -6 109, IE 53 -7, IL 32 35, IM 54 -5, IN 20 77, ' +
  'IO -7 72, IQ 34 45, IR 35 52, IS 64 -22, IT 44 11, JE 49 -2, JM 18 -77, JO 32 36, JP 36 139, KE -1 37, ' +
  'KG 43 74, KH 12 105, KI 1 176, KM -12 43, KN 17 -63, KP 39 126, KR 37 127, KW 29 48, KY 19 -81, ' +
  'KZ 46 74, LA 18 103, LB 34 36, LC 14 -61, LI 47 10, LK 7 80, LR 6 -11, LS -29 28, LT 55 25, LU 50 6, ' +
  'LV 57 24, LY 33 14, MA 33 -7, MC 44 7, MD 47 29, ME 42 19, MF 18 -63, MG -19 48, MH 7 171, MK 42 22, ' +
  'ML 13 -8, MM 18 96, MN 48 107, MO 22 114, MP 15 146, MQ 15 -61, MR 18 -16, MS 17 -62, MT 36 14, ' +
  'MU -20 58, MV 4 74, MW -15 34, MX 21 -100, MY 3 104, MZ -25 33, NA -23 17, NC -22 166, NE 14 3, ' +
  'NF -29 168, NG 7 5, NI 13 -86, NL 52 5, NO 60 10, NP 28 85, NR -1 167, NU -19 -170, NZ -38 175, ' +
  'OM 23 58, PA 9 -80, PE -12 -76, PF -18 -149, PG -9 147, PH 14 121, PK 30 71, PL 52 20, PM 47 -56, ' +
  'PN -25 -130, PR 18 -66, PS 32 35, PT 39 -9, PW 7 135, PY -25 -57, QA 25 52, RE -21 55, RO 45 26, ' +
  'RS 45 20, RU 57 45, RW -2 30, SA 24 45, SB -9 160, SC -5 55, SD 16 33, SE 59 16, SG 1 104, SH -16 -6, ' +
  'SI 46 15, SJ 78 16, SK 48 18, SL 8 -13, SM 44 12, SN 15 -17, SO 4 45, SR 6 -55, SS 5 32, ST 0 7, ' +
  'SV 14 -89, SX 18 -63, SY 34 36, SZ -26 31, TC 22 -72, TD 12 15, TF -49 70, TG 6 1, TH 14 101, TJ 39 69, ' +
  'TK -9 -171, TL -9 126, TM 38 59, TN 36 10, TO -21 -175, TR 40 31, TT 11 -61, TV -8 179, TW 25 121, ' +
  'TZ -6 38, UA 50 31, UG 0 32, UM 8 -167, US 39 -87, UY -34 -56, UZ 41 69, VA 42 12, VC 13 -61, ' +
  'VE 10 -69, VG 18 -65, VI 18 -65, VN 18 106, VU -18 168, WF -13 -176, WS -14 -172, XK 43 21, YE 15 44, ' +
  'YT -13 45, ZA -29 26, ZM -15 28, ZW -18 31'

const centres: ReadonlyMap<string, Coordinates> = new Map(
  TABLE.split(', ').map((row) => {
    const [code = '', latitude, longitude] = row.split(' ')
    return [code, { latitude: Number(latitude), longitude: Number(longitude) }]
  }),
)

/** Of an ISO 3166-1 alpha-2 code; null for one that is not in the table. */
export const centreOf = (country: string): Coordinates | null => centres.get(country) ?? null
