/* The table of currencies (ISO 4217, list one, as of 2026; no metals, funds or test codes). */
#include "domain/currency.h"

static const struct { int decimals; const char *codes; } currencies[] = {
    { 2,
      "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD "
      "CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ "
      "GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL "
      "MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR "
      "PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT "
      "TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG" },
    { 0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF" },
    { 3, "BHD IQD JOD KWD LYD OMR TND" },
};

int currency_decimals(struct str code)
{
    for (size_t i = 0; i < sizeof currencies / sizeof currencies[0]; i++) {
        struct str rest = str_of(currencies[i].codes);
        while (rest.ptr) {
            if (str_equal(str_cut(&rest, ' '), code)) {
                return currencies[i].decimals;
            }
        }
    }
    return -1;
}
