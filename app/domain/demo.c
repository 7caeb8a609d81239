/* Who the demo is, and what its devices read. Power comes from demo_power.c. Called by
 * demo_seed.c and by serve/cmd_seed.c. */
#include "domain/demo.h"
#include "domain/demo_noise.h"

#include <math.h>

#define GENERATION \
    "{\"metrics\": {\"power_w\": {\"role\": \"generation\"}," \
    " \"energy_kwh\": {\"role\": \"generation\"}}}"

static const struct demo_device aetherlens_devices[] = {
    { .key = "shelly-office-01", .name = "Office desk", .model = "Shelly Plug S", .config = "{}",
      .profile = DEMO_OFFICE, .seed = 0x5ca1ab1e01, .max_w = 2500, .nominal_v = 120,
      .metrics = { { "power_w", DEMO_POWER, 2 }, { "voltage_v", DEMO_VOLTAGE, 1 },
                   { "current_a", DEMO_CURRENT, 3 }, { "energy_kwh", DEMO_ENERGY, 6 },
                   { "temperature_c", DEMO_TEMPERATURE, 1 } },
      .n_metrics = 5 },
    { .key = "tp-link-living-room", .name = "Living room", .model = "TP-Link HS110",
      .config = "{}", .profile = DEMO_LIVING_ROOM, .seed = 0x5ca1ab1e02, .max_w = 1800,
      .nominal_v = 120,
      .metrics = { { "power_w", DEMO_POWER, 3 }, { "voltage_v", DEMO_VOLTAGE, 3 },
                   { "current_a", DEMO_CURRENT, 3 }, { "energy_kwh", DEMO_ENERGY, 6 } },
      .n_metrics = 4 },
    { .key = "solar-inverter-01", .name = "Roof solar", .model = "Enphase IQ7+",
      .config = GENERATION, .profile = DEMO_SOLAR, .seed = 0x5ca1ab1e03, .rated_w = 370,
      .max_w = 290, .nominal_v = 240, .latitude = 34.05, .longitude = -118.24,
      .clear_share = 0.66,
      .metrics = { { "power_w", DEMO_POWER, 0 }, { "energy_kwh", DEMO_ENERGY, 6 },
                   { "voltage_v", DEMO_VOLTAGE, 1 }, { "temperature_c", DEMO_TEMPERATURE, 0 } },
      .n_metrics = 4 },
};

static const struct demo_device monsoon_devices[] = {
    { .key = "loom-hall-01", .name = "Loom hall", .model = "Schneider EM6400NG", .config = "{}",
      .profile = DEMO_FACTORY, .seed = 0x5ca1ab1e11, .rated_w = 48000, .max_w = 60000,
      .nominal_v = 415,
      .metrics = { { "power_w", DEMO_POWER, 0 }, { "voltage_v", DEMO_VOLTAGE, 1 },
                   { "current_a", DEMO_CURRENT, 2 }, { "energy_kwh", DEMO_ENERGY, 4 } },
      .n_metrics = 4 },
    { .key = "rooftop-solar-01", .name = "Rooftop solar", .model = "Sungrow SG33CX",
      .config = GENERATION, .profile = DEMO_SOLAR, .seed = 0x5ca1ab1e12, .rated_w = 36000,
      .max_w = 33000, .nominal_v = 415, .latitude = 19.08, .longitude = 72.88,
      .clear_share = 0.5,
      .metrics = { { "power_w", DEMO_POWER, 0 }, { "energy_kwh", DEMO_ENERGY, 4 },
                   { "temperature_c", DEMO_TEMPERATURE, 1 } },
      .n_metrics = 3 },
};

static const struct demo_person aetherlens_persons[] = {
    { "admin@aetherlens.example", "Ada Lens", "admin", "tidemark-admin" },
    { "johndoe@aetherlens.example", "John Doe", "viewer", "tidemark-johndoe" },
};

static const struct demo_person monsoon_persons[] = {
    { "admin@monsoon-mills.example", "Meera Rao", "admin", "tidemark-monsoon" },
    { "arjun@monsoon-mills.example", "Arjun Nair", "viewer", "tidemark-arjun" },
};

const struct demo_tenant demo_tenants[] = {
    { .slug = "aetherlens", .name = "AetherLens", .timezone = "America/Los_Angeles",
      .currency = "USD", .site_key = "home", .site_name = "Home, Los Angeles",
      .devices = aetherlens_devices, .n_devices = 3,
      .persons = aetherlens_persons, .n_persons = 2 },
    { .slug = "monsoon-mills", .name = "Monsoon Mills", .timezone = "Asia/Kolkata",
      .currency = "INR", .site_key = "mumbai-mill", .site_name = "Mill, Mumbai",
      .devices = monsoon_devices, .n_devices = 2,
      .persons = monsoon_persons, .n_persons = 2 },
};
const int demo_tenants_count = sizeof demo_tenants / sizeof *demo_tenants;

const struct demo_person demo_operator = {
    "operator@tidemark.example", "Olive Operator", "operator_admin", "tidemark-operator",
};

/* Topics of chance, apart from those of demo_power.c. */
enum { NOISE_RIPPLE = 101, NOISE_GRID, NOISE_AIR };

#define RIPPLE_US (10 * US_PER_SECOND)
#define RIPPLE_SHARE 0.03

/* Power never stands still for five minutes: it ripples every ten seconds, each second time
 * by as much downwards as it did upwards, so that the five minutes' mean stays what it is. */
static double ripple(const struct demo_device *device, int64_t time_us)
{
    int64_t tick = time_us / RIPPLE_US;
    double size = RIPPLE_SHARE * demo_noise(device->seed, NOISE_RIPPLE, tick / 2);
    return 1 + (tick % 2 == 0 ? size : -size);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Energy in kWh over (from_us, to_us], where that is within one step. */
static double energy_within_step(const struct demo_device *device, double watts,
                                 int64_t from_us, int64_t to_us)
{
    double watt_us = 0;
    for (int64_t at = from_us; at < to_us;) {
        int64_t next = least((at / RIPPLE_US + 1) * RIPPLE_US, to_us);
        watt_us += watts * ripple(device, at) * (double)(next - at);
        at = next;
    }
    return watt_us / 3.6e12;
}

static double energy_between(const struct demo_device *device, const struct zone *zone,
                             int64_t from_us, int64_t to_us)
{
    double kwh = 0;
    for (int64_t at = from_us; at < to_us;) {
        int64_t next = least((at / DEMO_STEP_US + 1) * DEMO_STEP_US, to_us);
        double watts = demo_watts(device, zone, next);
        bool is_whole = next - at == DEMO_STEP_US;
        kwh += is_whole ? watts * (double)DEMO_STEP_US / 3.6e12
                        : energy_within_step(device, watts, at, next);
        at = next;
    }
    return kwh;
}

struct demo_moment demo_moment_at(const struct demo_device *device, const struct zone *zone,
                                  int64_t last_us, int64_t time_us)
{
    struct demo_moment moment = { .time_us = time_us };
    moment.energy_kwh = energy_between(device, zone, last_us, time_us);
    int64_t recent_us = time_us - last_us > DEMO_STEP_US ? time_us - DEMO_STEP_US : last_us;
    double recent_kwh = recent_us == last_us ? moment.energy_kwh
                                             : energy_between(device, zone, recent_us, time_us);
    moment.watts = time_us > recent_us ? recent_kwh * 3.6e12 / (double)(time_us - recent_us) : 0;
    return moment;
}

/* The grid breathes with the hour and sags a little under the device's own load. */
static double voltage_at(const struct demo_device *device, const struct demo_moment *moment)
{
    double hours = (double)moment->time_us / (double)US_PER_HOUR;
    double swing = demo_drift(device->seed, NOISE_GRID, hours / 2) - 0.5;
    double jitter = demo_noise(device->seed, NOISE_GRID, moment->time_us / RIPPLE_US) - 0.5;
    double sag = device->profile == DEMO_SOLAR ? -0.008 : 0.01;
    return device->nominal_v *
           (1.008 + 0.02 * swing + 0.004 * jitter - sag * moment->watts / device->max_w);
}

/* Small loads are mostly power supplies, whose current is more than their power asks for. */
static double current_at(const struct demo_device *device, const struct demo_moment *moment)
{
    double phases = device->nominal_v > 300 ? sqrt(3) : 1;
    double power_factor = moment->watts < 20 ? 0.58 : 0.94;
    return moment->watts / (voltage_at(device, moment) * power_factor * phases);
}

/* Inside the housing: the air around, warmest in the afternoon by the sun, and the load. */
static double temperature_at(const struct demo_device *device, const struct demo_moment *moment)
{
    double day = (double)moment->time_us / (double)US_PER_DAY;
    double sun_hour = day + device->longitude / 360;
    bool is_outside = device->profile == DEMO_SOLAR;
    double swing = is_outside ? 7 : 1.5;
    double air = (is_outside ? 18 : 24) + swing * cos(2 * M_PI * (sun_hour - 0.625)) +
                 4 * (demo_drift(device->seed, NOISE_AIR, day) - 0.5);
    double load = moment->watts / device->max_w;
    return air + (is_outside ? 24 : 30) * load + (is_outside ? 0 : 5);
}

double demo_value(const struct demo_device *device, const struct demo_metric *metric,
                  const struct demo_moment *moment)
{
    double value = 0;
    switch (metric->quantity) {
    case DEMO_POWER: value = moment->watts; break;
    case DEMO_VOLTAGE: value = voltage_at(device, moment); break;
    case DEMO_CURRENT: value = current_at(device, moment); break;
    case DEMO_ENERGY: value = moment->energy_kwh; break;
    case DEMO_TEMPERATURE: value = temperature_at(device, moment); break;
    }
    double scale = pow(10, metric->decimals);
    return round(value * scale) / scale;
}
