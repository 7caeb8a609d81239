-- Power now is worked out of api.energy_sources(), together with energy: nothing reads this any more.
DROP FUNCTION api.power_now();
