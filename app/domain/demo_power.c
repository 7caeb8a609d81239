/* Power of the demo's devices: three kinds of load by the local clock, and the sun.
 * Called by demo.c's readings. */
#include "domain/demo.h"
#include "domain/demo_noise.h"

#include <math.h>

/* Topics of chance. */
enum {
    NOISE_DAY_OFF = 1, NOISE_ARRIVAL, NOISE_LEAVING, NOISE_WORK, NOISE_COFFEE, NOISE_STANDBY,
    NOISE_EVENING_ON, NOISE_EVENING_OFF, NOISE_CONSOLE, NOISE_DAYTIME, NOISE_PICTURE,
    NOISE_WEATHER, NOISE_CLOUDS, NOISE_SHIFT, NOISE_MACHINES
};

#define SATURDAY 5
#define SUNDAY 6

/* The moment on the wall's clock. */
struct local_time {
    int64_t day;      /* days since 1970-01-01 */
    int weekday;      /* 0 Monday … 6 Sunday */
    double minute;    /* of the day */
    int64_t slot;     /* five minutes since 1970 UTC: unlike the clock it never repeats */
};

static struct local_time local_time_at(const struct zone *zone, int64_t slot)
{
    int64_t middle_us = slot * DEMO_STEP_US + DEMO_STEP_US / 2;
    int64_t local_us = middle_us + zone_offset_at(zone, middle_us) * US_PER_SECOND;
    int64_t day = local_us / US_PER_DAY;
    return (struct local_time){
        .day = day,
        .weekday = (int)((day + 3) % 7), /* 1970-01-01 was a Thursday */
        .minute = (double)(local_us - day * US_PER_DAY) / (double)US_PER_MINUTE,
        .slot = slot,
    };
}

static double chance_of_day(const struct demo_device *device, uint64_t topic,
                            const struct local_time *local)
{
    return demo_noise(device->seed, topic, local->day);
}

static bool is_within(const struct local_time *local, double from_minute, double to_minute)
{
    return local->minute >= from_minute && local->minute < to_minute;
}

/* A coffee is 1.2 kW for about three of the five minutes. */
static double coffee_watts(const struct demo_device *device, const struct local_time *local,
                           double arrival)
{
    const double due[] = { arrival + 10, 13 * 60 + 5, 15 * 60 + 20 };
    for (int i = 0; i < 3; i++) {
        double late = 15 * demo_noise(device->seed, NOISE_COFFEE, local->day * 4 + i);
        if (is_within(local, due[i] + late, due[i] + late + 5)) {
            return 620 + 180 * demo_noise(device->seed, NOISE_COFFEE, local->slot);
        }
    }
    return 0;
}

/* Desk with laptop, two screens and a coffee machine; nobody in on weekends, as a rule. */
static double office_watts(const struct demo_device *device, const struct local_time *local)
{
    double standby = 3.1 + 0.6 * demo_noise(device->seed, NOISE_STANDBY, local->slot);
    double off = chance_of_day(device, NOISE_DAY_OFF, local);
    if (local->weekday >= SATURDAY ? off > 0.06 : off < 0.05) {
        return standby;
    }
    double arrival = 8 * 60 + 15 + 50 * chance_of_day(device, NOISE_ARRIVAL, local);
    double leaving = 17 * 60 + 70 * chance_of_day(device, NOISE_LEAVING, local);
    if (local->weekday >= SATURDAY) {
        arrival += 90;
        leaving -= 240;
    }
    if (!is_within(local, arrival, leaving)) {
        return standby;
    }
    double work = 82 + 38 * demo_drift(device->seed, NOISE_WORK, (double)local->slot / 6) +
                  9 * demo_noise(device->seed, NOISE_WORK, local->slot);
    if (is_within(local, 12 * 60 + 10, 12 * 60 + 55)) {
        work *= 0.4;
    }
    return standby + work + coffee_watts(device, local, arrival);
}

/* Television with receiver and, some evenings, a console. */
static double living_room_watts(const struct demo_device *device, const struct local_time *local)
{
    bool is_weekend = local->weekday >= SATURDAY;
    double receiver = 7.6 + 0.5 * demo_noise(device->seed, NOISE_STANDBY, local->slot);
    double on = (is_weekend ? 15.5 * 60 : 18 * 60) +
                75 * chance_of_day(device, NOISE_EVENING_ON, local);
    double off = 22 * 60 + 80 * chance_of_day(device, NOISE_EVENING_OFF, local);
    bool is_morning = is_weekend && chance_of_day(device, NOISE_DAYTIME, local) < 0.6 &&
                      is_within(local, 9.5 * 60, 11.75 * 60);
    if (!is_within(local, on, off) && !is_morning) {
        return receiver;
    }
    double picture = 104 + 34 * demo_drift(device->seed, NOISE_PICTURE, (double)local->slot / 3) +
                     6 * demo_noise(device->seed, NOISE_PICTURE, local->slot);
    bool is_playing = chance_of_day(device, NOISE_CONSOLE, local) < 0.3 &&
                      is_within(local, 20 * 60 + 30, 22 * 60 + 10);
    return receiver + picture + (is_playing ? 148 : 0);
}

/* A hall of looms in two shifts, six days a week, with a skeleton load at night. */
static double factory_watts(const struct demo_device *device, const struct local_time *local)
{
    double base = device->rated_w * (0.06 + 0.01 * demo_noise(device->seed, NOISE_STANDBY,
                                                              local->slot));
    bool is_open = local->weekday != SUNDAY && is_within(local, 6 * 60, 22 * 60);
    if (!is_open) {
        return base;
    }
    bool is_break = is_within(local, 13.5 * 60, 14.25 * 60) || is_within(local, 9.75 * 60, 600);
    double running = 0.62 + 0.14 * chance_of_day(device, NOISE_SHIFT, local) +
                     0.12 * demo_drift(device->seed, NOISE_MACHINES, (double)local->slot / 4) +
                     0.02 * demo_noise(device->seed, NOISE_MACHINES, local->slot);
    return base + device->rated_w * running * (is_break ? 0.35 : 1);
}

/* Where the sun stands over a place. */
struct sun {
    double sin_elevation;
    double elevation;        /* degrees */
    double from_south;       /* azimuth, radians, west positive */
};

/* The Astronomical Almanac's low-precision formulas (within 0.01° between 1950 and 2050). */
static struct sun sun_over(double latitude_deg, double longitude_deg, int64_t time_us)
{
    const double rad = M_PI / 180;
    double n = (double)time_us / (double)US_PER_DAY - 10957.5; /* days since 2000-01-01 12:00 */
    double anomaly = (357.528 + 0.9856003 * n) * rad;
    double ecliptic = (280.460 + 0.9856474 * n + 1.915 * sin(anomaly) +
                       0.020 * sin(2 * anomaly)) * rad;
    double obliquity = (23.439 - 0.0000004 * n) * rad;
    double ascension = atan2(cos(obliquity) * sin(ecliptic), cos(ecliptic));
    double declination = asin(sin(obliquity) * sin(ecliptic));
    double sidereal = (280.46062 + 360.98564737 * n + longitude_deg) * rad;
    double hour_angle = sidereal - ascension;
    double latitude = latitude_deg * rad;
    double sin_elevation = sin(latitude) * sin(declination) +
                           cos(latitude) * cos(declination) * cos(hour_angle);
    return (struct sun){
        .sin_elevation = sin_elevation,
        .elevation = asin(sin_elevation) / rad,
        .from_south = atan2(sin(hour_angle), cos(hour_angle) * sin(latitude) -
                                                 tan(declination) * cos(latitude)),
    };
}

/* What a clear sky sends onto panels tilted 20° to the south, in kW/m²: direct light by air
 * mass (Meinel 1976, Kasten and Young 1989) and a tenth of it from the sky. */
static double clear_sky(const struct sun *sun)
{
    const double tilt = 20 * M_PI / 180;
    double air_mass = 1 / (sun->sin_elevation + 0.50572 * pow(sun->elevation + 6.07995, -1.6364));
    double direct = 1.353 * pow(0.7, pow(air_mass, 0.678));
    double incidence = sun->sin_elevation * cos(tilt) +
                       sqrt(1 - sun->sin_elevation * sun->sin_elevation) * sin(tilt) *
                           cos(sun->from_south);
    return direct * fmax(incidence, 0) + 0.1 * direct;
}

/* The share of the light that the day's weather lets through. */
static double cloud_factor(const struct demo_device *device, const struct local_time *local)
{
    double day = chance_of_day(device, NOISE_WEATHER, local);
    double clouds = demo_drift(device->seed, NOISE_CLOUDS, (double)local->slot / 2.5);
    double partly = (1 - device->clear_share) * 0.7;
    if (day < device->clear_share) {
        return 0.965 + 0.035 * clouds;
    }
    if (day < device->clear_share + partly) {
        return clouds > 0.45 ? 0.93 + 0.07 * clouds : 0.28 + clouds;
    }
    return 0.10 + 0.22 * clouds;
}

static double solar_watts(const struct demo_device *device, const struct local_time *local)
{
    int64_t middle_us = local->slot * DEMO_STEP_US + DEMO_STEP_US / 2;
    struct sun sun = sun_over(device->latitude, device->longitude, middle_us);
    if (sun.elevation < 0.5) { /* an inverter needs some light to start */
        return 0;
    }
    double light = clear_sky(&sun) * cloud_factor(device, local);
    double cell_c = 16 + 30 * light;
    double watts = device->rated_w * light * (1 - 0.0037 * (cell_c - 25)) * 0.96;
    return fmin(fmax(watts, 0), device->max_w);
}

double demo_watts(const struct demo_device *device, const struct zone *zone, int64_t time_us)
{
    struct local_time local = local_time_at(zone, (time_us - 1) / DEMO_STEP_US);
    switch (device->profile) {
    case DEMO_OFFICE: return office_watts(device, &local);
    case DEMO_LIVING_ROOM: return living_room_watts(device, &local);
    case DEMO_SOLAR: return solar_watts(device, &local);
    case DEMO_FACTORY: return factory_watts(device, &local);
    }
    return 0;
}
