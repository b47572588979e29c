// Signatures made by others: the examples of RFC 7515, RFC 7520 and RFC 8037, and for the
// algorithms of which they have none, some made by Python's jwcrypto.
#pragma once

#include <string_view>

namespace berth::auth {

struct SignatureVector {
    std::string_view source;
    std::string_view algorithm;
    std::string_view jwk;
    std::string_view token;
};

inline constexpr SignatureVector kSignatureVectors[] = {
    {"RFC 7515, A.2", "RS256",
     R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfH)"
     R"(Qp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ4)"
     R"(7soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapH)"
     R"(g665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGN)"
     R"(j8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"})",
     R"(eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9)"
     R"(leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2Vt)"
     R"(Qgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKB)"
     R"(YNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN)"
     R"(9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI)"
     R"(8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw)"},
    {"RFC 7515, A.3", "ES256",
     R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":)"
     R"("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
     R"(eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9)"
     R"(leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXF)"
     R"(CgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q)"},
    {"RFC 7515, A.4", "ES512",
     R"({"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp)"
     R"(5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyB)"
     R"(XMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"})",
     R"(eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOY)"
     R"(aRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8Kp)"
     R"(EHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn)"},
    {"RFC 7520, 4.1", "RS256",
     R"({"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","n":"n4EPtAOCc9A)"
     R"(lkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJm)"
     R"(SCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqF)"
     R"(EHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FV)"
     R"(bb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqg)"
     R"(c5gHdrNP5zw","e":"AQAB"})",
     R"(eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJl)"
     R"(zIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXA)"
     R"(gb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5)"
     R"(vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.MRjdkly7_-oTPTS3AXP41iQ)"
     R"(IGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wn)"
     R"(B-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6)"
     R"(x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U1)"
     R"(2podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg)"},
    {"RFC 7520, 4.2", "PS384",
     R"({"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","n":"n4EPtAOCc9A)"
     R"(lkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJm)"
     R"(SCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqF)"
     R"(EHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FV)"
     R"(bb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqg)"
     R"(c5gHdrNP5zw","e":"AQAB"})",
     R"(eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJl)"
     R"(zIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXA)"
     R"(gb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5)"
     R"(vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.cu22eBqkYDKgIlTpzDXGvaF)"
     R"(fz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo)"
     R"(6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqr)"
     R"(YRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2)"
     R"(_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw)"},
    {"RFC 7520, 4.3", "ES512",
     R"({"kty":"EC","kid":"bilbo.baggins@hobbiton.example","use":"sig","crv":"P-521","x")"
     R"(:"AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRX)"
     R"(YgCF5cj0Kt","y":"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAg)"
     R"(DPrwQrJmbnX9cwlGfP-HqHZR1"})",
     R"(eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJl)"
     R"(zIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXA)"
     R"(gb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5)"
     R"(vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.AE_R_YZCChjn4791jSQCrdP)"
     R"(ZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDD)"
     R"(yYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2)"},
    {"RFC 8037, A.4", "EdDSA",
     R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
     R"(eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1P)"
     R"(POt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg)"},
    {"Python's jwcrypto", "RS384",
     R"({"e":"AQAB","kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W)"
     R"(26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6)"
     R"(b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WT)"
     R"(BEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8N)"
     R"(Aco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})",
     R"(eyJhbGciOiAiUlMzODQifQ.eyJpc3MiOiJqb2UifQ.BAxkqESVbagOhx7fJtsj6RM_HWKFvlBih0PHzE)"
     R"(KsVAOX_MQ1WUj1V7CCUhe5dWTsrUhDHa8oMHYfiM5arvlzhfFF-tqQ-qoa5aiEx-Md1nUh4vpybWpDXT)"
     R"(u2aZ35DMcjko_lNDjJPKcOHza9rUMCFoW6zCgY1_rbuS-m5GODId3wb-NSmynL8XrgfHnaK9hNbJUdKe)"
     R"(3lqk88In5uNMnJCCXOXW5sYE0ilLmxqwIZEoj0NY_gF4_-FkaN24bT1u7wpRvolg7UB6K8tkhDmtBwYc)"
     R"(hJOrh5Ppf79vZPlBj720pfRmpXDdKauHvPH7G_Rmb8N3094J0lBpQPtb53hBu0Mg)"},
    {"Python's jwcrypto", "RS512",
     R"({"e":"AQAB","kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W)"
     R"(26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6)"
     R"(b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WT)"
     R"(BEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8N)"
     R"(Aco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})",
     R"(eyJhbGciOiAiUlM1MTIifQ.eyJpc3MiOiJqb2UifQ.kNHtnL2aI9cXlZNqa7ZTRCIdkBwut0ry4-FQMC)"
     R"(rytt54zg43y0H2CLCtgegVtNxNe4Z8QKBheZ4OyMnlhqT6bbwJgEiVkmxLVWsBqMJTjSQxr82KzXORrW)"
     R"(2SKsLGP-YqtCpzeD4ehLTaKAT0xUm0CF56pOTlbytvfthc30QCuVwh5sRf6x3uvtn2DbAyaPPWSYExV-)"
     R"(OXcUGHW3A178A6I3EXHBfj9ydscnlRiz3h6nnnuP20AG_gIvb-7VY7emB2UdnyZqNecbV3iYtgqFa6hM)"
     R"(9fp3tOWbNOCxRTyoQVv_JyaSqAKocBBe20GkKzfO_zimQAHT-mhi2jpSzlAvMlqw)"},
    {"Python's jwcrypto", "PS256",
     R"({"e":"AQAB","kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W)"
     R"(26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6)"
     R"(b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WT)"
     R"(BEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8N)"
     R"(Aco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})",
     R"(eyJhbGciOiAiUFMyNTYifQ.eyJpc3MiOiJqb2UifQ.YzSNKV21XiXD3oDa4Mev2UctPe-mbHzUcV_UQ6)"
     R"(ToypRaDi7ThtWCBdJdsZ-0X2tDjMKjiQU2bvM8_ydZxXw0ZIZxIWgmiQ13UOyqiRjAf0bIVeVKj3_mrL)"
     R"(VfYnXfcUsIW531FjZxY-eF8d1IS1rBe1C2zXH_yUM2uGS3PYPg3o0CnWCTuY4Y3DWslmNXtMew7dXBlE)"
     R"(L1yV4K_iWpJRDwkfKC97LElTiSj5x20394eBiw1lZ5CUmv1v3CDgIyk-_yj6L0UruqtlLunBza1Q5TNE)"
     R"(80ZlmoZ61w_VtwHyJ4c7shafYQVIK4rIOG-liw-2GQv1DKlNuypqpBaYvq6johCg)"},
    {"Python's jwcrypto", "PS512",
     R"({"e":"AQAB","kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W)"
     R"(26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6)"
     R"(b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WT)"
     R"(BEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8N)"
     R"(Aco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})",
     R"(eyJhbGciOiAiUFM1MTIifQ.eyJpc3MiOiJqb2UifQ.C47cJMKImAGJADDw7w9IhM1JATAmba_ZRJ5q7h)"
     R"(rfbuaYlztPZjomafkLtq8scds8GYxBXJAg600TBVXok6MElDGGeUPHZvhOOnoXEPTOSlw7f8hTlKPiQk)"
     R"(MAQF1eOahst5kFMsQ-ZjAANzp6mkSurra1W6iyAt3x3-_EPk-LDzQ65Ta5C2qhH8kHN2jB53tzqJMbMX)"
     R"(WVMEy9IWG6_rh7d3OyCkC8S7rM8MIwbBUyu1ykv2bv5EqKD0cogbZjq2CEGwwl0bTm3MN5RJ86aLAjXJ)"
     R"(_uhd7pcTDIPYflCXYR0sAOlQwjgTzaJYF5LmfEx0GEBqqM9JzePPhwOqx3LBBXog)"},
    {"Python's jwcrypto", "ES384",
     R"({"crv":"P-384","kty":"EC","x":"rV0Kyjm7Qgdi031hP1DPo3ix-eWPmoE5KyHRXUadXtkTU7LtQ)"
     R"(aqFt9E18R9xej42","y":"EIh8ZT5VAbF6pa07wnB91JVTZO1-JW2L54TMoQ1hXT_-LzdJJaUHfJyutW)"
     R"(leOHuI"})",
     R"(eyJhbGciOiAiRVMzODQifQ.eyJpc3MiOiJqb2UifQ.hEvPvosDNF92-hhXBf-khBpsDeZb92yqcui45S)"
     R"(3YvaAX2R3-zPQXgFJiyNoLc58onQ3G0mw436kv_CyDaH3furEXkVNiAWlZLRfh-Sc5iOUFD1Qvlgetf0)"
     R"(Xo9WV4nbZl)"},
};

}  // namespace berth::auth
