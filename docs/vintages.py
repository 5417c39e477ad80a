"""Write the historical vintages of the seeds: `python docs/vintages.py [--check]`.

The tables of 2009 and 2019 are derived from those of 2024 and from the figures of the time that
stand below, each with its source. Rows taken over keep their source; what is scaled or judged
names an assumption of `seeds/assumptions.csv`. `--check` writes nothing and says whether the
files are up to date.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

SEEDS = Path(__file__).resolve().parents[1] / "seeds"
Row = dict[str, str]

MAGNET_SECTORS = (
    "ev_traction", "other_automotive", "wind", "consumer_electronics",
    "industrial_motors_and_robots", "hvac_and_appliances", "defence_and_aerospace",
    "e_mobility_and_tools", "other_magnet",
)  # fmt: skip
ELEMENTS = ("la", "ce", "ndpr", "sm", "dy", "tb", "y")

# ---- what both vintages share ---------------------------------------------------------------

#: What one tonne of rare earths holds by use, t oxide (the usual shares of the trade, A49).
CONTENT_OF_USE: dict[str, dict[str, float]] = {
    "catalysts": {"la": 0.64, "ce": 0.345, "ndpr": 0.015},
    "polishing_and_glass": {"la": 0.288, "ce": 0.654, "ndpr": 0.037, "y": 0.007},
    "metal_and_battery_alloys": {"la": 0.38, "ce": 0.427, "ndpr": 0.177, "sm": 0.016},
    "phosphors": {"y": 0.69, "ce": 0.11, "la": 0.085, "tb": 0.046},
    "ceramics_and_coatings": {"y": 0.53, "la": 0.17, "ndpr": 0.18, "ce": 0.12},
    "other_oxide": {"ce": 0.39, "la": 0.19, "ndpr": 0.19, "y": 0.19, "sm": 0.02, "dy": 0.01},
}

# ---- 2009 -----------------------------------------------------------------------------------

#: Rare earths by use outside magnets, t REO of 2010 (A49), and by region as shares.
USES_2009: dict[str, tuple[float, dict[str, float]]] = {
    "catalysts": (24500, {
        "china": 0.28, "united_states": 0.39, "europe": 0.15, "japan": 0.08, "south_korea": 0.025,
        "india": 0.015, "brazil": 0.015, "rest_of_world": 0.045}),
    "polishing_and_glass": (30000, {
        "china": 0.50, "japan": 0.26, "south_korea": 0.07, "united_states": 0.065,
        "europe": 0.07, "thailand": 0.01, "india": 0.01, "rest_of_world": 0.015}),
    "metal_and_battery_alloys": (22000, {
        "china": 0.665, "japan": 0.235, "united_states": 0.05, "europe": 0.035,
        "south_korea": 0.01, "rest_of_world": 0.005}),
    "phosphors": (8500, {
        "china": 0.65, "japan": 0.21, "south_korea": 0.06, "united_states": 0.045,
        "europe": 0.035}),
    "ceramics_and_coatings": (7000, {
        "china": 0.40, "japan": 0.31, "united_states": 0.18, "europe": 0.11}),
    "other_oxide": (6500, {
        "china": 0.67, "japan": 0.14, "united_states": 0.10, "europe": 0.07,
        "rest_of_world": 0.02}),
}  # fmt: skip

#: Finished NdFeB magnets used in 2009, t (A45), by sector and by region.
SECTORS_2009 = {
    "consumer_electronics": 22400, "other_automotive": 13000, "ev_traction": 1100, "wind": 3500,
    "industrial_motors_and_robots": 11800, "hvac_and_appliances": 4500,
    "e_mobility_and_tools": 5600, "defence_and_aerospace": 700, "other_magnet": 6000,
}  # fmt: skip
REGIONS_2009 = {
    "china": 43400, "japan": 11200, "europe": 5500, "united_states": 3400, "south_korea": 2000,
    "thailand": 1000, "malaysia": 600, "vietnam": 200, "mexico": 350, "canada": 100,
    "india": 350, "rest_of_world": 500,
}  # fmt: skip
#: Growth a year that users of 2009 could expect (A61).
GROWTH_2009 = {
    "consumer_electronics": 0.04, "other_automotive": 0.05, "ev_traction": 0.15, "wind": 0.08,
    "industrial_motors_and_robots": 0.06, "hvac_and_appliances": 0.06,
    "e_mobility_and_tools": 0.06, "defence_and_aerospace": 0.03, "other_magnet": 0.03,
    "humanoid_robots": 0.0, "catalysts": 0.02, "polishing_and_glass": 0.03,
    "ceramics_and_coatings": 0.03, "phosphors": 0.02, "metal_and_battery_alloys": 0.02,
    "other_oxide": 0.02,
}  # fmt: skip

#: FOB prices of 2009, USD/kg, and the export tax that they hold (A50).
FOB_2009: dict[str, tuple[float, float, str, str, str]] = {
    "la_oxide": (4.88, 0.15, "raremetalblog_2009", "high", "annual average"),
    "ce_oxide": (3.88, 0.15, "recalled", "low", "annual average, recalled"),
    "ndpr_oxide": (19.12, 0.15, "raremetalblog_2009", "high",
                   "annual average of Nd; 14.5 in the first quarter, 27.56 a year later"),
    "sm_oxide": (3.40, 0.15, "raremetalblog_2009", "high", "annual average"),
    "dy_oxide": (100.0, 0.25, "adamas_mining_2013;recalled", "low",
                 "91 in January; 115 in December, recalled"),
    "tb_oxide": (360.0, 0.25, "recalled", "low", "end of 2009, recalled"),
    "y_oxide": (14.4, 0.25, "recalled", "low", "annual average, recalled"),
}  # fmt: skip

#: Facilities of 2009: name in the table of 2024 -> what differs. `None` in place of a name is new.
FACILITIES_2009: dict[str, dict[str, Any]] = {
    "cn_bayan_obo": {"cap": 82000, "out": 75000, "cost": 1.5, "source": "usgs_mcs_2012;A46;A63",
                     "confidence": "low",
                     "note": "share of China's 129,000 t by ore judged"},
    "cn_sichuan_shandong_lree": {"cap": 32000, "out": 28000, "cost": 2, "source": "usgs_mcs_2012;A46;A63",
                                 "confidence": "low", "note": "share by ore judged"},
    "cn_south_ionic": {"cap": 33000, "out": 26000, "cost": 5, "source": "usgs_mcs_2012;A46;A63",
                       "confidence": "low", "note": "share by ore judged"},
    "cn_cnre_sep": {"cap": 82000, "out": 75000, "start": "", "source": "A46;A15"},
    "cn_creg_sep": {"cap": 76000, "out": 69550, "source": "A46;A15;A62"},
    "cn_metal_total": {"cap": 30000, "out": 25500, "source": "china_org_2013;A45"},
    "cn_jlmag": {"cap": 1460, "out": 730, "start": "2008-08-01", "source": "recalled;A45"},
    "cn_zksh": {"cap": 8760, "out": 6800, "source": "recalled;A45"},
    "cn_yunsheng": {"cap": 5110, "out": 3500, "source": "recalled;A45"},
    "cn_zhenghai": {"cap": 2190, "out": 1400, "source": "recalled;A45"},
    "cn_other_listed": {"cap": 14600, "out": 10400, "source": "recalled;A45"},
    "cn_small": {"cap": 40000, "out": 31000, "source": "china_org_2013;A45"},
    "cn_scrap": {"cap": 10000, "out": 6000, "ndpr": 9500, "dy": 400, "tb": 60,
                 "source": "A45", "confidence": "low"},
    "cn_dy_metal": {"cap": 1300, "out": 850, "source": "A41;A48"},
    "cn_tb_metal": {"cap": 90, "out": 45, "source": "A41;A48"},
    "cn_sm_metal": {"cap": 740, "out": 493, "source": "A41;A7;A45"},
    "cn_smco": {"cap": 1920, "out": 1440, "source": "A7;A45"},
    "in_irel_mine": {"cap": 3000, "out": 2700, "source": "usgs_mcs_2012;A46"},
    "in_irel": {"cap": 3000, "out": 2700, "source": "usgs_mcs_2012;A46"},
    "ru_lovozero": {"cap": 3600, "out": 2500, "source": "usgs_mcs_2012"},
    "ru_solikamsk": {"cap": 1800, "out": 1000, "source": "usgs_mcs_2012;A46"},
    "ee_silmet": {"cap": 3000, "out": 1500, "source": "recalled;A46"},
    "row_small_mines": {"name": "br_monazite", "title": "Monazite of Brazil's coast",
                        "operator": "INB", "country": "brazil", "region": "brazil", "cap": 700,
                        "out": 550, "source": "usgs_mcs_2012", "confidence": "medium",
                        "note": "output of 2010"},
    "us_mountain_pass": {"name": "us_mp_stocks", "title": "Mountain Pass, ore stocks of old days",
                         "operator": "Molycorp", "cap": 3000, "out": 2000, "start": "2007-09-01",
                         "ramp": 0, "dest": "united_states", "source": "recalled;A47",
                         "confidence": "low",
                         "note": "no mining from 2002 to 2010; old concentrate is worked up"},
    "us_mp_ndpr": {"name": "us_mp_old_plant", "separates": "light", "title": "Mountain Pass, old separation plant",
                   "operator": "Molycorp", "cap": 3000, "out": 2000, "start": "2007-09-01",
                   "ramp": 0, "status": "operating", "ndpr": 450, "cost": 8,
                   "source": "recalled;A47", "confidence": "low", "note": ""},
    "uk_lcm": {"cap": 330, "out": 120, "source": "recalled;A45"},
    "ee_silmet_metal": {"cap": 600, "out": 260, "source": "A41;A45"},
    "jp_metal": {"cap": 8000, "out": 6300, "source": "A41;A45"},
    "jp_dy_metal": {"cap": 320, "out": 207, "source": "A41;A48"},
    "eu_dy_metal": {"cap": 25, "out": 14, "source": "A41;A48"},
    "jp_tb_metal": {"cap": 20, "out": 11, "source": "A41;A48"},
    "eu_tb_metal": {"cap": 1.5, "out": 0.7, "source": "A41;A48"},
    "jp_sm_metal": {"cap": 65, "out": 43, "source": "A41;A7;A45"},
    "eu_sm_metal": {"cap": 46, "out": 31, "source": "A41;A7;A45"},
    "us_sm_metal": {"cap": 74, "out": 49, "source": "A41;A7;A45"},
    "jp_shinetsu": {"cap": 5840, "out": 5000, "source": "china_org_2013;recalled;A45"},
    "jp_proterial": {"title": "Hitachi Metals (NEOMAX), Japan", "operator": "Hitachi Metals",
                     "cap": 6570, "out": 5600, "source": "china_org_2013;recalled;A45"},
    "jp_tdk": {"cap": 3285, "out": 2600, "source": "china_org_2013;recalled;A45"},
    "jp_recycling": {"cap": 2000, "out": 1300, "ndpr": 1900, "dy": 80, "tb": 10,
                     "source": "recalled;A45", "confidence": "low"},
    "jp_smco": {"cap": 170, "out": 120, "source": "A7;A45"},
    "eu_smco": {"cap": 130, "out": 90, "source": "A7;A45"},
    "us_permag": {"cap": 200, "out": 150, "source": "A7;A45"},
    "de_vac_hanau": {"cap": 1000, "out": 650, "source": "china_org_2013;A45"},
    "si_magneti": {"cap": 250, "out": 142, "source": "china_org_2013;A45"},
}  # fmt: skip
NEW_2009 = (
    {"like": "cn_south_ionic", "name": "cn_undocumented_clays", "cap": 13000, "out": 10000, "cost": 5,
     "title": "Clays of China outside the plan", "operator": "many", "source": "A62;A63",
     "confidence": "low", "note": "no statistic counts it"},
    {"like": "cn_sichuan_shandong_lree", "name": "cn_undocumented_light", "cap": 6500, "out": 5000, "cost": 2,
     "title": "Light ore of China outside the plan", "operator": "many", "source": "A62;A63",
     "confidence": "low", "note": "no statistic counts it"},
)  # fmt: skip
#: Announced by 2010, with the dates that their owners gave at the time (A55).
PLANNED_2009: dict[str, dict[str, Any]] = {
    "us_mountain_pass": {"title": "Mountain Pass mine, restart (Project Phoenix)",
        "operator": "Molycorp", "cap": 19050, "status": "construction", "start": "2011-12-31",
        "ramp": 48, "dest": "united_states", "source": "mining_2012;metalbulletin_2011;A55",
        "note": "19,050 t/y aimed at for 2012; 3,000 t came in 2012 and 5,500 t in 2013"},
    "us_mp_ndpr": {"title": "Mountain Pass separation (Project Phoenix)", "operator": "Molycorp",
        "separates": "light",
        "cap": 19050, "status": "construction", "start": "2011-12-31", "ramp": 48, "ndpr": 2800,
        "cost": 6, "source": "mining_2012;A55",
        "note": "first units started in February 2012"},
    "au_mt_weld": {"cap": 12000, "status": "construction", "start": "2011-05-01", "ramp": 24,
        "dest": "malaysia", "source": "recalled;A55", "note": "concentrator started in May 2011"},
    "my_lamp": {"cap": 12000, "status": "construction", "start": "2011-09-30", "ramp": 36,
        "ndpr": 2500, "source": "mining_2012_2;investorintel_2013;A55",
        "note": "planned for the third quarter of 2011; first feed 30 November 2012, first product"
        " 27 February 2013"},
    "vn_dong_pao": {"cap": 3000, "status": "planned", "start": "2013-06-30", "dest": "japan",
        "source": "recalled;A55", "note": "Japanese partners, agreed in October 2010"},
    "jp_separators": {"cap": 3000, "status": "planned", "start": "2013-06-30", "ndpr": 450,
        "source": "recalled;A55", "note": "would work up the ore of Dong Pao"},
}  # fmt: skip

#: Who separates whose ore in 2009: (material, origin, destination, share, source, confidence).
ORE_2009 = (
    ("concentrate_light", "china", "china", 1.0, "definition", "high"),
    ("concentrate_heavy", "china", "china", 1.0, "definition", "high"),
    ("concentrate_light", "united_states", "united_states", 1.0, "A47", "low"),
    ("concentrate_light", "australia", "malaysia", 1.0, "mining_2012_2", "high"),
    ("concentrate_light", "india", "india", 1.0, "usgs_mcs_2012;A46", "medium"),
    ("concentrate_light", "rest_of_world", "europe", 0.6, "recalled;A46", "low"),
    ("concentrate_light", "rest_of_world", "rest_of_world", 0.4, "recalled;A46", "low"),
    ("concentrate_light", "brazil", "china", 1.0, "A46", "low"),
    ("concentrate_light", "vietnam", "japan", 1.0, "A55", "low"),
)

#: (stage, region, material, tonnes, low, high, source, confidence, note).
BASELINE_2009 = (
    ("mine", "china", "reo", 144000, 129000, 160000, "usgs_mcs_2012;A46;A62", "low",
     "129,000 t by record, and what is outside it"),
    ("mine", "india", "reo", 2700, 2600, 2900, "usgs_mcs_2012", "medium", ""),
    ("mine", "rest_of_world", "reo", 2500, 2300, 2700, "usgs_mcs_2012", "low", "Russia"),
    ("mine", "brazil", "reo", 550, 450, 650, "usgs_mcs_2012", "medium", ""),
    ("mine", "united_states", "reo", 2000, 1500, 3000, "recalled;A47", "low", "from old stocks"),
    ("separation_recycled", "china", "ndpr_oxide", 6250, 4000, 8000, "A45", "low",
     "by the scrap that magnet making yields"),
    ("separation_recycled", "japan", "ndpr_oxide", 1500, 1000, 1900, "A45", "low",
     "by the scrap that magnet making yields"),
    ("metal", "china", "ndpr_metal", 19600, 16500, 23000, "A45", "low", ""),
    ("metal", "japan", "ndpr_metal", 6300, 4000, 7300, "A45", "low",
     "Japan made much of its alloy from Chinese metal and oxide"),
    ("metal", "europe", "ndpr_metal", 420, 220, 560, "A45", "low", ""),
    ("magnet", "china", "ndfeb", 54500, 48000, 56900, "china_org_2013;A45;A4", "medium",
     "79.4 % of the world; 56,900 t in 2010"),
    ("magnet", "japan", "ndfeb", 13200, 11300, 13900, "china_org_2013;A45;A4", "medium",
     "19.3 % of the world in 2010"),
    ("magnet", "europe", "ndfeb", 900, 770, 950, "china_org_2013;A45;A4", "medium",
     "1.3 % of the world in 2010"),
    ("magnet", "china", "smco", 1440, 720, 2900, "A7;A45", "low", ""),
    ("magnet", "japan", "smco", 120, 60, 240, "A7;A45", "low", ""),
    ("magnet", "europe", "smco", 90, 45, 180, "A7;A45", "low", ""),
    ("magnet", "united_states", "smco", 150, 75, 300, "A7;A45", "low", ""),
    ("magnet_export", "china", "ndfeb_magnets", 11000, 8500, 14000, "recalled;A45", "low", ""),
    ("oxide_and_metal_export", "china", "rare_earths", 46500, 43000, 58900,
     "reactionsearch_2010;inautonews_2009", "medium",
     "43,894 t by customs in the recession; with what left unrecorded 59,000 t"),
    ("non_magnet_use", "rest_of_world", "la_oxide", 36250, 32500, 40000, "A49", "low",
     "the world's use, by the shares of 2010"),
    ("non_magnet_use", "rest_of_world", "ce_oxide", 42500, 38750, 52500, "A49", "low",
     "the world's use, by the shares of 2010; ore gives more, and the rest went to stock"),
    ("non_magnet_use", "rest_of_world", "y_oxide", 11250, 8750, 12500, "A49", "low",
     "the world's use, by the shares of 2010"),
)  # fmt: skip

# ---- 2019 -----------------------------------------------------------------------------------

SECTORS_2019 = {
    "consumer_electronics": 28000, "other_automotive": 27500, "ev_traction": 6500, "wind": 14000,
    "industrial_motors_and_robots": 12500, "hvac_and_appliances": 12500,
    "e_mobility_and_tools": 8500, "defence_and_aerospace": 1600, "other_magnet": 8900,
}  # fmt: skip
REGIONS_2019 = {
    "china": 70500, "europe": 14500, "japan": 11500, "united_states": 6000, "south_korea": 5000,
    "mexico": 1600, "canada": 600, "malaysia": 1700, "vietnam": 2200, "thailand": 1800,
    "india": 2200, "rest_of_world": 2400,
}  # fmt: skip
#: Growth a year as it was expected in 2019 (A61).
GROWTH_2019 = {
    "consumer_electronics": 0.02, "other_automotive": 0.02, "ev_traction": 0.25, "wind": 0.05,
    "industrial_motors_and_robots": 0.05, "hvac_and_appliances": 0.05,
    "e_mobility_and_tools": 0.06, "defence_and_aerospace": 0.03, "other_magnet": 0.02,
    "humanoid_robots": 0.0, "catalysts": 0.02, "polishing_and_glass": 0.02,
    "ceramics_and_coatings": 0.03, "phosphors": 0.0, "metal_and_battery_alloys": 0.02,
    "other_oxide": 0.02,
}  # fmt: skip
#: Home prices of 2019 without VAT, USD/kg, the ratio of the ask to them (A29), and sources.
HOME_2019: dict[str, tuple[float, float, str, str, str]] = {
    "la_oxide": (1.72, 1.08, "usgs_mcs_2021;A28", "medium", "FOB annual average 2"),
    "ce_oxide": (1.72, 1.08, "usgs_mcs_2021;A28", "medium", "FOB annual average 2"),
    "ndpr_oxide": (37.2, 1.08, "metal_2019_07;metal_2019_11;A28", "medium",
                   "44.0 in July and 40.4 in November with VAT; FOB of Nd 45 over the year"),
    "sm_oxide": (1.55, 1.2, "recalled;A28", "low", ""),
    "dy_oxide": (206.0, 1.25, "usgs_mcs_2021;metal_2019_11;A28", "medium",
                 "FOB annual average 239; 222.2 with VAT in November"),
    "tb_oxide": (437.0, 1.2, "usgs_mcs_2021;metal_2019_11;A28", "medium",
                 "FOB annual average 507; 492.2 with VAT in November"),
    "y_oxide": (2.6, 1.2, "recalled;A28", "low", ""),
}  # fmt: skip
FACILITIES_2019: dict[str, dict[str, Any]] = {
    "cn_bayan_obo": {"cap": 70750, "out": 70750, "source": "peakresources_2019;recalled",
                     "confidence": "medium", "note": "quota of Northern Rare Earth, recalled"},
    "cn_sichuan_shandong_lree": {"cap": 42100, "out": 42100, "source": "peakresources_2019;recalled",
                                 "note": "quota of 132,000 t less the two others"},
    "cn_south_ionic": {"cap": 19150, "out": 19150, "source": "peakresources_2019"},
    "cn_cnre_sep": {"cap": 76000, "out": 70750, "source": "peakresources_2019;A15"},
    "cn_creg_sep": {"cap": 66000, "out": 61250, "source": "peakresources_2019;A15"},
    "cn_import_sep": {"cap": 90000, "out": 79200, "source": "usgs_myb_2022;A15;A52"},
    "cn_metal_total": {"cap": 75000, "out": 40500, "source": "A53"},
    "cn_jlmag": {"cap": 5840, "out": 4800, "source": "recalled;A53"},
    "cn_zksh": {"cap": 14600, "out": 9000, "source": "recalled;A53"},
    "cn_yunsheng": {"cap": 8000, "out": 6000, "source": "recalled;A53"},
    "cn_zhenghai": {"cap": 6300, "out": 4600, "source": "recalled;A53"},
    "cn_other_listed": {"cap": 40000, "out": 25600, "source": "recalled;A53"},
    "cn_small": {"cap": 88000, "out": 57000, "source": "adamas_2019;A53"},
    "cn_scrap": {"cap": 22000, "out": 14800, "ndpr": 21000, "dy": 700, "tb": 130,
                 "source": "A53", "confidence": "low"},
    "cn_dy_metal": {"cap": 2100, "out": 1500, "source": "A41;A53"},
    "cn_tb_metal": {"cap": 290, "out": 190, "source": "A41;A53"},
    "cn_sm_metal": {"cap": 1110, "out": 740, "source": "A41;A7;A53"},
    "cn_smco": {"cap": 2880, "out": 2160, "source": "A7;A53"},
    "mm_kachin": {"cap": 40000, "out": 29000, "source": "usgs_myb_2022", "confidence": "medium",
                  "note": "23,000 t in 2018, 35,500 t in 2020"},
    "in_irel_mine": {"cap": 3200, "out": 2900, "source": "usgs_myb_2022"},
    "in_irel": {"cap": 2900, "out": 2900, "source": "usgs_myb_2022"},
    "ru_lovozero": {"cap": 3600, "out": 2700, "source": "usgs_myb_2022", "confidence": "high"},
    "ru_solikamsk": {"cap": 1800, "out": 1080, "source": "usgs_myb_2022;A16"},
    "ee_silmet": {"cap": 3800, "out": 1620, "source": "recalled;A16"},
    "mg_monazite": {"cap": 6000, "out": 4000, "source": "usgs_myb_2022", "confidence": "medium"},
    "th_sands": {"cap": 5000, "out": 1900, "source": "usgs_myb_2022", "confidence": "medium"},
    "vn_small_mines": {"cap": 1500, "out": 1300, "source": "usgs_myb_2022", "confidence": "medium"},
    "row_small_mines": {"name": "br_monazite", "title": "Monazite of Brazil", "operator": "various",
                        "country": "brazil", "region": "brazil", "cap": 1000, "out": 710,
                        "source": "usgs_myb_2022", "confidence": "medium"},
    "us_mountain_pass": {"cap": 42500, "out": 28000, "ramp": 36, "source": "usgs_myb_2022",
                         "confidence": "medium", "note": "39,000 t in 2020, 42,400 t in 2021"},
    "au_mt_weld": {"cap": 24000, "out": 20000, "source": "usgs_myb_2022", "confidence": "medium"},
    "my_lamp": {"cap": 26000, "out": 20000, "ndpr": 5900, "source": "usgs_myb_2022;recalled"},
    "vn_separators": {"cap": 3500, "out": 2030, "source": "A39"},
    "uk_lcm": {"cap": 330, "out": 100, "source": "recalled;A53"},
    "ee_silmet_metal": {"cap": 600, "out": 400, "source": "A41;A53"},
    "jp_metal": {"cap": 5000, "out": 3300, "source": "A41;A53"},
    "vn_metal": {"cap": 1500, "out": 900, "source": "A41;A53"},
    "th_metal": {"cap": 1000, "out": 600, "source": "A41;A53"},
    "jp_dy_metal": {"cap": 180, "out": 125, "source": "A41;A53"},
    "vn_dy_metal": {"cap": 20, "out": 12, "source": "A41;A53"},
    "eu_dy_metal": {"cap": 22, "out": 14, "source": "A41;A53"},
    "jp_tb_metal": {"cap": 26, "out": 16, "source": "A41;A53"},
    "vn_tb_metal": {"cap": 3, "out": 1.6, "source": "A41;A53"},
    "eu_tb_metal": {"cap": 3, "out": 1.8, "source": "A41;A53"},
    "jp_sm_metal": {"cap": 97, "out": 65, "source": "A41;A7;A53"},
    "eu_sm_metal": {"cap": 69, "out": 46, "source": "A41;A7;A53"},
    "us_sm_metal": {"cap": 111, "out": 74, "source": "A41;A7;A53"},
    "jp_shinetsu": {"cap": 4380, "out": 4000, "source": "recalled;A53"},
    "jp_proterial": {"title": "Hitachi Metals (NEOMAX), Japan", "operator": "Hitachi Metals",
                     "cap": 4380, "out": 3900, "source": "recalled;A53"},
    "jp_tdk": {"cap": 1825, "out": 1650, "source": "recalled;A53"},
    "jp_daido": {"cap": 730, "out": 650, "source": "recalled;A53"},
    "jp_recycling": {"cap": 2000, "out": 1300, "ndpr": 1900, "dy": 60, "tb": 9,
                     "source": "recalled;A53", "confidence": "low"},
    "jp_smco": {"cap": 250, "out": 180, "source": "A7;A53"},
    "eu_smco": {"cap": 200, "out": 135, "source": "A7;A53"},
    "us_permag": {"cap": 270, "out": 225, "source": "A7;A53"},
    "de_vac_hanau": {"cap": 1000, "out": 720, "source": "recalled;A53"},
    "si_magneti": {"cap": 250, "out": 170, "source": "recalled;A53"},
    "vn_shinetsu": {"cap": 1095, "out": 600, "source": "recalled;A53"},
    "ph_shinetsu_tdk": {"cap": 1095, "out": 500, "source": "recalled;A53"},
    "th_neo_korat": {"cap": 1460, "out": 600, "source": "recalled;A53"},
}  # fmt: skip
NEW_2019 = (
    {"like": "cn_south_ionic", "name": "cn_undocumented", "cap": 15000, "out": 12000,
     "title": "Ore of China outside the quota", "operator": "many", "source": "A52",
     "confidence": "low", "note": "clays and by-products that no statistic counts"},
    {"like": "mg_monazite", "name": "bi_gakara", "title": "Gakara", "operator": "Rainbow Rare Earths",
     "country": "burundi", "cap": 500, "out": 200, "mix": "bastnaesite_other",
     "source": "usgs_myb_2022", "confidence": "medium", "note": ""},
)  # fmt: skip
PLANNED_2019: dict[str, dict[str, Any]] = {
    "us_mp_ndpr": {
        "status": "construction",
        "start": "2021-12-31",
        "ramp": 42,
        "source": "recalled;A55",
        "note": "second stage of Mountain Pass; began in September 2023",
    },
    "au_nolans": {"start": "2024-06-30", "source": "recalled;A55", "note": ""},
    "au_nolans_mine": {"start": "2024-06-30", "source": "recalled;A55", "note": ""},
}
ORE_2019 = (
    ("concentrate_light", "china", "china", 1.0, "definition", "high"),
    ("concentrate_heavy", "china", "china", 1.0, "definition", "high"),
    ("concentrate_heavy", "myanmar", "china", 0.93, "un_comtrade_2846;A39", "medium"),
    ("concentrate_heavy", "myanmar", "vietnam", 0.07, "A39", "low"),
    ("concentrate_light", "united_states", "china", 1.0, "usgs_myb_2022;recalled", "medium"),
    ("concentrate_light", "australia", "malaysia", 1.0, "lynas_fy25", "high"),
    ("concentrate_light", "india", "india", 1.0, "globalindiannewsnetwork", "medium"),
    ("concentrate_light", "rest_of_world", "europe", 0.6, "recalled;A16", "low"),
    ("concentrate_light", "rest_of_world", "rest_of_world", 0.4, "recalled;A16", "low"),
    ("concentrate_light", "thailand", "china", 1.0, "usgs_myb_2022", "medium"),
    ("concentrate_light", "africa", "china", 1.0, "usgs_myb_2022", "medium"),
    ("concentrate_light", "brazil", "china", 1.0, "usgs_myb_2022", "medium"),
    ("concentrate_light", "vietnam", "china", 1.0, "usgs_myb_2022", "medium"),
)
BASELINE_2019 = (
    ("mine", "china", "reo", 144000, 132000, 157000, "usgs_myb_2022;A52", "medium",
     "132,000 t under quota and what is outside it"),
    ("mine", "myanmar", "reo", 29000, 25000, 31000, "usgs_myb_2022", "medium", ""),
    ("mine", "united_states", "reo", 28000, 27500, 28500, "usgs_myb_2022", "medium", ""),
    ("mine", "australia", "reo", 20000, 19000, 21000, "usgs_myb_2022", "medium", ""),
    ("mine", "india", "reo", 2900, 2600, 3200, "usgs_myb_2022", "medium", ""),
    ("mine", "rest_of_world", "reo", 2700, 2600, 2800, "usgs_myb_2022", "high", "Russia"),
    ("mine", "africa", "reo", 4200, 3500, 5000, "usgs_myb_2022", "medium", ""),
    ("mine", "thailand", "reo", 1900, 1600, 2200, "usgs_myb_2022", "medium", ""),
    ("mine", "vietnam", "reo", 1300, 1100, 1500, "usgs_myb_2022", "medium", ""),
    ("mine", "brazil", "reo", 710, 600, 800, "usgs_myb_2022", "medium", ""),
    ("separation_primary", "malaysia", "ndpr_oxide", 5000, 4200, 5900, "recalled;usgs_myb_2022",
     "low", "5,900 t in the fiscal year, recalled; ore figures give less"),
    ("separation_recycled", "china", "ndpr_oxide", 14800, 12000, 17000, "A53", "low",
     "scrap of magnet making and a little from goods in use"),
    ("separation_recycled", "japan", "ndpr_oxide", 1300, 800, 1800, "recalled", "low", ""),
    ("metal", "china", "ndpr_metal", 40500, 38000, 48000, "A53", "low", ""),
    ("metal", "japan", "ndpr_metal", 3300, 2300, 4300, "A41;A53", "low", ""),
    ("metal", "vietnam", "ndpr_metal", 900, 600, 1200, "A41;A53", "low", ""),
    ("metal", "thailand", "ndpr_metal", 600, 400, 800, "A41;A53", "low", ""),
    ("metal", "europe", "ndpr_metal", 500, 300, 700, "A41;A53", "low", ""),
    ("magnet", "china", "ndfeb", 107000, 98000, 124100, "adamas_2019;A53;A4", "medium",
     "170,000 t of blanks would be 124,100 t finished: more than the ore of the year allows"),
    ("magnet", "japan", "ndfeb", 10200, 6600, 12400, "recalled;A53", "low", ""),
    ("magnet", "europe", "ndfeb", 890, 750, 1030, "recalled;A53", "low", ""),
    ("magnet", "vietnam", "ndfeb", 600, 450, 750, "recalled;A53", "low", ""),
    ("magnet", "thailand", "ndfeb", 600, 450, 750, "recalled;A53", "low", ""),
    ("magnet", "rest_of_world", "ndfeb", 500, 380, 620, "recalled;A53", "low", ""),
    ("magnet", "china", "smco", 2160, 1080, 4320, "A7;A53", "low", ""),
    ("magnet", "japan", "smco", 180, 90, 360, "A7;A53", "low", ""),
    ("magnet", "europe", "smco", 135, 68, 270, "A7;A53", "low", ""),
    ("magnet", "united_states", "smco", 225, 112, 450, "A7;A53", "low", ""),
    ("magnet_export", "china", "ndfeb_magnets", 36000, 30000, 40000, "recalled;A53", "low",
     "about 36,000 t of rare-earth magnets by customs"),
    ("oxide_and_metal_export", "china", "rare_earths", 46330, 37000, 53000, "recalled", "low",
     "customs weight of ores, metals and compounds"),
)  # fmt: skip

#: Facts of trade, for checks: (period, flow, origin, destination, value, unit, source, confidence).
TRADE_2009 = (
    ("2009", "ores, metals, compounds", "China", "World", 43894, "t_product", "reactionsearch_2010", "medium"),
    ("2010", "ores, metals, compounds", "China", "World", 39813, "t_product", "reactionsearch_2010", "medium"),
    ("2011", "quota lines", "China", "World", 18600, "t_product", "people_2012", "high"),
    ("2011", "quota lines, association", "China", "World", 16900, "t_product", "abrasivesunion_2011", "medium"),
    ("2011-01..2011-11", "quota lines", "China", "World", 14750, "t_product", "evwind_2011", "medium"),
)  # fmt: skip
TRADE_2019 = (
    ("2019", "HS 2846", "World", "China", 41084, "t_gross", "un_comtrade_2846", "high"),
    ("2019", "HS 2846", "Myanmar", "China", 28741, "t_gross", "un_comtrade_2846", "high"),
    ("2020", "HS 2846", "World", "China", 47630, "t_gross", "un_comtrade_2846", "high"),
)


# ---- the derivation -------------------------------------------------------------------------


def read(table: str, vintage: str = "2024") -> list[Row]:
    """Rows of a table of the seeds."""
    folder = SEEDS / vintage if vintage else SEEDS
    with (folder / f"{table}.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def number(value: float) -> str:
    """A number as a table holds it."""
    return f"{value:.6g}" if abs(value) < 1e5 else f"{value:.0f}"


def facilities(
    rows: dict[str, dict[str, Any]],
    planned: dict[str, dict[str, Any]],
    new: Iterable[dict[str, Any]],
    year: int,
) -> list[Row]:
    """Facilities of a vintage: rows of 2024 with the sizes and dates of the time."""
    table = {row["facility"]: row for row in read("facilities")}
    found = [facility(table[name], change, year, running=True) for name, change in rows.items()]
    found += [facility(table[item["like"]], item, year, running=True) for item in new]
    found += [facility(table[name], item, year, running=False) for name, item in planned.items()]
    return found


def facility(old: Row, change: dict[str, Any], year: int, running: bool) -> Row:
    """One row: contents at nameplate follow the capacity unless they are given."""
    row = dict(old)
    scale = float(change.get("cap", old["capacity_t_per_year"])) / float(old["capacity_t_per_year"])
    for key, column in (
        ("ndpr", "ndpr_t_per_year"),
        ("dy", "dy_t_per_year"),
        ("tb", "tb_t_per_year"),
    ):
        row[column] = number(float(change.get(key, float(old[column] or 0) * scale)))
    row["capacity_t_per_year"] = number(float(change.get("cap", float(old["capacity_t_per_year"]))))
    row["output_2024_t"] = number(float(change["out"])) if running else ""
    for key, column in (
        ("name", "facility"), ("title", "name"), ("operator", "operator"), ("country", "country"),
        ("region", "region"), ("mix", "mix"), ("dest", "destination"), ("start", "start_date"),
        ("ramp", "ramp_months"), ("status", "status"), ("source", "source"), ("note", "note"),
        ("confidence", "confidence"), ("separates", "separates"),
    ):  # fmt: skip
        if key in change:
            row[column] = str(change[key])
    if "cost" in change:
        row.update(unit_cost_usd_per_kg=str(change["cost"]), unit_cost_low="", unit_cost_high="")
    if running:
        row["role"] = "existing"
        row["status"] = str(change.get("status", "operating"))
        if row["start_date"] and int(row["start_date"][:4]) > year:
            row["start_date"] = ""
    else:
        row["role"] = "planned_new"
    row["date"] = str(year)
    row["low"] = row["high"] = ""
    row.pop("low"), row.pop("high")
    if "note" not in change:
        row["note"] = ""
    if row["source"].split(";")[0].startswith("A") or row["source"].startswith("recalled"):
        row["confidence"] = "low"
    return row


def demand(
    sectors: dict[str, float], regions: dict[str, float], source: str, year: int, smco: float
) -> list[Row]:
    """Magnets by sector, region and grade: the pattern of 2024 fitted to the totals of the time."""
    old = read("demand")
    places, uses = list(regions), [s for s in MAGNET_SECTORS if s in sectors]
    pattern = np.zeros((len(uses), len(places)))
    heavy: dict[str, list[float]] = {s: [0.0, 0.0] for s in uses}
    for row in old:
        if row["sector"] in uses and row["material"].startswith("ndfeb"):
            t = float(row["t_per_year"])
            pattern[uses.index(row["sector"]), places.index(row["region"])] += t
            heavy[row["sector"]][row["material"] == "ndfeb_high_coercivity"] += t
    rows, columns = np.array([sectors[s] for s in uses]), np.array([regions[p] for p in places])
    columns = columns * rows.sum() / columns.sum()
    for _ in range(500):
        pattern *= (rows / pattern.sum(axis=1))[:, None]
        pattern *= (columns / pattern.sum(axis=0))[None, :]
    found = []
    for i, s in enumerate(uses):
        share = heavy[s][1] / sum(heavy[s])
        for j, p in enumerate(places):
            for grade, part in (("ndfeb_high_coercivity", share), ("ndfeb_standard", 1 - share)):
                t = pattern[i, j] * part
                if t >= 0.05:
                    found.append(
                        {"sector": s, "region": p, "material": grade, "t_per_year": f"{t:.2f}",
                         "low": f"{0.7 * t:.2f}", "high": f"{1.3 * t:.2f}", "source": source,
                         "date": str(year), "confidence": "low", "note": ""}
                    )  # fmt: skip
    for row in old:
        if row["material"] == "smco":
            t = float(row["t_per_year"]) * smco
            found.append(
                {**row, "t_per_year": f"{t:.2f}", "low": f"{0.5 * t:.2f}", "high": f"{2 * t:.2f}",
                 "source": f"A7;{source}", "date": str(year), "confidence": "low", "note": ""}
            )  # fmt: skip
    return found


def oxide_uses_2009() -> list[Row]:
    """Uses of each oxide outside magnets, as shares: tonnes by use times content by use."""
    tonnes: dict[tuple[str, str, str], float] = {}
    for use, (total, places) in USES_2009.items():
        for e, content in CONTENT_OF_USE[use].items():
            for place, share in places.items():
                tonnes[(use, e, place)] = total * content * share
    return shares_of_residual(tonnes, "A49;recalled", 2009)


def oxide_uses_2019() -> list[Row]:
    """Uses of 2024, taken back half-way to those of 2009 by region (A54)."""
    old = {
        (r["sector"], r["material"][:-6], r["region"]): float(r["share_of_residual"])
        for r in read("oxide_uses")
    }
    before = {
        (r["sector"], r["material"][:-6], r["region"]): float(r["share_of_residual"])
        for r in oxide_uses_2009()
    }
    keys = list(dict.fromkeys([*old, *before]))
    return shares_of_residual(
        {k: 2.0 * old.get(k, 0.0) / 3.0 + before.get(k, 0.0) / 3.0 for k in keys}, "A54;A26", 2019
    )


def shares_of_residual(
    tonnes: dict[tuple[str, str, str], float], source: str, year: int
) -> list[Row]:
    """Rows whose shares add up to one for each oxide."""
    found = []
    for e in ELEMENTS:
        mine = {k: t for k, t in tonnes.items() if k[1] == e and t > 0}
        total = sum(mine.values())
        shares = {k: round(t / total, 6) for k, t in mine.items()}
        largest = max(shares, key=lambda k: shares[k])
        shares[largest] += 1.0 - sum(shares.values())
        found += [
            {"sector": use, "material": f"{e}_oxide", "region": place,
             "share_of_residual": f"{share:.6f}", "low": "", "high": "", "source": source,
             "date": str(year), "confidence": "low", "note": ""}
            for (use, _, place), share in shares.items()
        ]  # fmt: skip
    return found


def sectors(growth: dict[str, float], year: int) -> list[Row]:
    """How uses behave: as in 2024, with the growth that was expected at the time."""
    found = []
    for row in read("sectors"):
        g = growth[row["sector"]]
        found.append(
            {**row, "growth_2030": number((1 + g) ** (2030 - year)),
             "growth_2035": number((1 + g) ** (2035 - year)), "date": str(year),
             "source": ";".join(dict.fromkeys(["A61", *[k for k in row["source"].split(";") if k.startswith(("A2", "A4"))]])),
             "confidence": "low",
             "note": "growth as it was expected then; cover, elasticity and ceilings as in 2024"}
        )  # fmt: skip
    return found


def prices(
    oxides: dict[str, tuple[float, float, str, str, str, float]],
    dy_t: float,
    tb_t: float,
    year: int,
    extra: float,
) -> list[Row]:
    """Prices of oxides as given, and of what is made from them.

    Parameters
    ----------
    oxides
        Material -> home, ask, source, confidence, note, spread.
    dy_t, tb_t
        Dy and Tb metal drawn per tonne of high-coercivity magnets.
    extra
        Conversion and margin of finished magnets, USD/kg.
    """
    recipe = {
        (r["output"], r["input"]): float(r["input_t_per_t_output"]) for r in read("recipes", "")
    }
    found: list[Row] = []

    def add(
        material: str,
        market: str,
        price: float,
        low: float,
        high: float,
        source: str,
        confidence: str,
        note: str,
    ) -> None:
        found.append(
            {"material": material, "market": market, "usd_per_kg": f"{price:.3f}",
             "low": f"{low:.3f}", "high": f"{high:.3f}", "source": source, "date": str(year),
             "confidence": confidence, "note": note}
        )  # fmt: skip

    home: dict[str, float] = {}
    outside: dict[str, float] = {}
    assumption = "A50" if year == 2009 else "A29"
    for m, (inside, ask, source, confidence, note, spread) in oxides.items():
        home[m], outside[m] = inside, ask
        add(
            m,
            "home",
            inside,
            inside * (1 - spread),
            inside * (1 + spread),
            source,
            confidence,
            note,
        )
        add(
            m,
            "ask",
            ask,
            ask * (1 - spread),
            ask * (1 + spread),
            f"{source};{assumption}".replace(f"{assumption};{assumption}", assumption),
            "low",
            "",
        )
    for m, cost in (("ndpr_metal", 2.3), ("sm_metal", 6.0), ("dy_metal", 5.0), ("tb_metal", 8.0)):
        oxide = m.replace("metal", "oxide")
        home[m] = home[oxide] * recipe[(m, oxide)] + cost
        ask = home[m] * outside[oxide] / home[oxide]
        text = "oxide price / (element per oxide x yield) + conversion"
        add(m, "home", home[m], 0.9 * home[m], 1.1 * home[m], "A6;A14", "low", text)
        add(m, "ask", ask, 0.85 * ask, 1.15 * ask, f"A6;{assumption}", "low", "as the oxide")
    light = recipe[("ndfeb_standard", "ndpr_metal")] * home["ndpr_metal"] + extra
    strong = light + dy_t * home["dy_metal"] + tb_t * home["tb_metal"] + 1.0
    cobalt = 0.3424657534 * home["sm_metal"] + 75.0
    for m, price in (
        ("ndfeb_standard", light),
        ("ndfeb_high_coercivity", strong),
        ("smco", cobalt),
    ):
        text = "contents at metal prices plus conversion and margin"
        add(m, "home", price, 0.8 * price, 1.25 * price, "A51;A30", "low", text)
        add(m, "ask", 1.05 * price, 0.8 * price, 1.4 * price, "A51;A29", "low", "home x 1.05")
    return found


def recipes(dy: float, tb: float, source: str, year: int, note: str) -> list[Row]:
    """Recipes of the time: Dy and Tb metal drawn per tonne of high-coercivity magnets."""
    found = []
    for row in read("recipes", ""):
        row = dict(row)
        if row["output"] == "ndfeb_high_coercivity" and row["input"] in ("dy_metal", "tb_metal"):
            given = dy if row["input"] == "dy_metal" else tb
            row.update(
                input_t_per_t_output=f"{given:.6g}", low=f"{0.6 * given:.6g}",
                high=f"{1.4 * given:.6g}", contained_element_t_per_t_output=f"{0.85 * given:.6g}",
                source=f"{source};A5", date=str(year), confidence="low", note=note,
            )  # fmt: skip
        found.append(row)
    return found


def table_of(names: tuple[str, ...], rows: Iterable[tuple[Any, ...]], year: int) -> list[Row]:
    """Rows given as tuples."""
    return [
        {n: ("" if v is None else str(v)) for n, v in zip(names, row, strict=True)}
        | {"date": str(year)}
        for row in rows
    ]


def mixes(rows: list[Row]) -> list[Row]:
    """Ore mixes of the facilities named."""
    used = {row["mix"] for row in rows if row["mix"]}
    return [row for row in read("element_mix") if row["mix"] in used]


def vintage_2009() -> dict[str, list[Row]]:
    """All tables of 2009."""
    plants = facilities(FACILITIES_2009, PLANNED_2009, NEW_2009, 2009)
    oxides = {}
    for m, (fob, tax, source, confidence, note) in FOB_2009.items():
        spread = 0.1 if confidence == "high" else 0.25
        oxides[m] = (
            (fob / (1 + tax)) - 0.3,
            fob,
            f"{source};A50",
            confidence,
            f"FOB, {note}",
            spread,
        )
    dy, tb = 0.0288, 0.0018
    return {
        "facilities": plants,
        "element_mix": mixes(plants),
        "demand": demand(SECTORS_2009, REGIONS_2009, "A45", 2009, 0.6),
        "oxide_uses": oxide_uses_2009(),
        "sectors": sectors(GROWTH_2009, 2009),
        "prices": prices(oxides, dy, tb, 2009, 16.0),
        "recipes": recipes(dy, tb, "A48", 2009, "before the thrift that followed 2011"),
        **common(2009, ORE_2009, BASELINE_2009, TRADE_2009),
        "costs": table_of(
            ("item", "region", "stage", "value", "unit", "low", "high", "source", "confidence", "note"),
            (
                ("vat", "china", "", 0.17, "share", "", "", "recalled", "low", "17 % to 2018"),
                ("export_tax_light", "china", "oxide", 0.15, "share", 0.1, 0.15, "recalled;A50", "low", "La, Ce, Nd, Sm in 2009"),
                ("export_tax_heavy", "china", "oxide", 0.25, "share", 0.15, 0.25, "recalled;A50", "low", "Dy, Tb, Y in 2009; Nd from 2011"),
                ("quota_licence_price", "china", "oxide", 15, "USD/kg", "", "", "japanmetalbulletin_2", "medium", "price of a quota licence for La oxide in 2010"),
            ),
            2009,
        ),
    }  # fmt: skip


def vintage_2019() -> dict[str, list[Row]]:
    """All tables of 2019."""
    plants = facilities(FACILITIES_2019, PLANNED_2019, NEW_2019, 2019)
    oxides = {}
    for m, (inside, ratio, source, confidence, note) in HOME_2019.items():
        spread = 0.15 if confidence == "low" else 0.08
        oxides[m] = (inside, inside * ratio, source, confidence, note, spread)
    dy, tb = 0.0208, 0.0021
    return {
        "facilities": plants,
        "element_mix": mixes(plants),
        "demand": demand(SECTORS_2019, REGIONS_2019, "A53", 2019, 0.9),
        "oxide_uses": oxide_uses_2019(),
        "sectors": sectors(GROWTH_2019, 2019),
        "prices": prices(oxides, dy, tb, 2019, 17.0),
        "recipes": recipes(dy, tb, "A54", 2019, "between 2009 and 2024"),
        **common(2019, ORE_2019, BASELINE_2019, TRADE_2019),
        "costs": table_of(
            ("item", "region", "stage", "value", "unit", "low", "high", "source", "confidence", "note"),
            (("vat", "china", "", 0.13, "share", "", "", "recalled", "low", "since April 2019; no rebate on export of oxides and metals"),),
            2019,
        ),
    }  # fmt: skip


def common(year: int, ore: tuple, baseline: tuple, trade: tuple) -> dict[str, list[Row]]:
    """Tables that are taken over, and those given as tuples."""
    policies = [
        row for row in read("policies") if row["start"] and int(row["start"][:4]) <= year
        and (not row["end"] or int(row["end"][:4]) >= year - 1)
    ]  # fmt: skip
    return {
        "routes": read("routes"),
        "tiers": read("tiers"),
        "trade_priors": read("trade_priors"),
        "policies": policies,
        "concentrate_trade": table_of(
            ("material", "origin", "destination", "share_of_origin_output", "low", "high", "source",
             "confidence", "note"),
            [(*r[:4], "", "", *r[4:], "") for r in ore], year),
        "baseline": table_of(
            ("stage", "region", "material", "tonnes", "low", "high", "source", "confidence", "note"),
            baseline, year),
        "trade_facts": table_of(
            ("period", "flow", "origin", "destination", "value", "unit", "source", "confidence"),
            trade, year),
    }  # fmt: skip


#: Columns in the order of the tables of 2024; a table that 2024 has not keeps its own.
def text(table: str, rows: list[Row]) -> str:
    """A table as it stands in its file."""
    folder = SEEDS / "2024" / f"{table}.csv"
    header = next(
        csv.reader((folder if folder.is_file() else SEEDS / f"{table}.csv").open(encoding="utf-8"))
    )
    out = io.StringIO()
    writer = csv.DictWriter(out, header, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


VINTAGES = {
    "2009": (
        vintage_2009,
        'name: "2009"\nbase_year: 2009\nstart: 2009-01-01\n'
        "title: The chain of 2009, before the export quota was cut\n"
        "note: Base year 2009; thin data, mostly recalled; written by docs/vintages.py\n",
    ),
    "2019": (
        vintage_2019,
        'name: "2019"\nbase_year: 2019\nstart: 2019-01-01\n'
        "title: The chain of 2019, before the boom in electric cars\n"
        "note: Base year 2019; written by docs/vintages.py from the tables of 2024\n",
    ),
}


def main(words: list[str]) -> int:
    """Write or check the folders; return the exit status."""
    stale = []
    for name, (build, about) in VINTAGES.items():
        folder = SEEDS / name
        files = {f"{table}.csv": text(table, rows) for table, rows in build().items()}
        files["vintage.yaml"] = about
        for file, content in files.items():
            path = folder / file
            if path.is_file() and path.read_text(encoding="utf-8") == content:
                continue
            stale.append(f"{name}/{file}")
            if "--check" not in words:
                folder.mkdir(exist_ok=True)
                path.write_text(content, encoding="utf-8")
    if stale and "--check" in words:
        print(f"out of date: {', '.join(stale)}; run python docs/vintages.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
