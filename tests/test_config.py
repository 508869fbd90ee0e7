"""Options: the file beside the notebook, flags over it, and a clear word for each mistake."""

from pathlib import Path

import pytest

from nb2prod import config, home
from nb2prod.config import Options, bento_name, parameter_value
from nb2prod.errors import InputError


def loaded(folder, text, overrides=None, name="flight delay.ipynb"):
    (folder / "nb2prod.toml").write_text(text, encoding="utf-8")
    return config.load(folder / name, overrides)


def test_without_a_file_the_defaults_hold(tmp_path):
    assert config.load(tmp_path / "x.ipynb") == Options()


def test_the_notebooks_table_wins_over_the_top_and_flags_over_both(tmp_path):
    text = 'owner = "all"\nraw_table = "a"\ntolerance = 1e-6\n["flight delay"]\nraw_table = "b"\nowner = "one"\n'
    options = loaded(tmp_path, text, {"owner": "flag", "raw_table": None})
    assert (options.owner, options.raw_table, options.tolerance) == ("flag", "b", 1e-6)


@pytest.mark.parametrize("key", ["flight delay", "flight delay.ipynb"])
def test_a_table_is_named_after_the_file(tmp_path, key):
    assert loaded(tmp_path, f'["{key}"]\ntarget = "y"\n').target == ("y",)


def test_another_notebooks_table_is_left_alone(tmp_path):
    (tmp_path / "other.ipynb").write_text("{}")
    assert loaded(tmp_path, "[other]\nwhatever = 1\n") == Options()


def test_filters_with_and_without_quotes(tmp_path):
    options = loaded(tmp_path, '[filters]\n"4.7" = "validity"\n5.1 = "training-only"\n')
    assert options.filters == {"4.7": "validity", "5.1": "training-only"}


def test_tolerances_of_single_outputs(tmp_path):
    text = 'tolerances = {price = 1e-6, rent = 1e-4}\n["flight delay".tolerances]\nrent = 0\n'
    assert loaded(tmp_path, text).tolerances == {"price": 1e-6, "rent": 0}


def test_parameters_and_filters_are_merged_key_by_key(tmp_path):
    text = '[parameters]\nyear = 2013\nseed = 1\n["flight delay".parameters]\nyear = 2014\n'
    options = loaded(tmp_path, text, {"parameters": {"seed": 5}, "filters": {"1.1": "validity"}})
    assert options.parameters == {"year": 2014, "seed": 5}
    assert options.filters == {"1.1": "validity"}


def test_serving_options_are_merged_key_by_key(tmp_path):
    text = '[serving]\nmax_rows = 5\nworkers = 2\n["flight delay".serving]\nmax_rows = 6\n'
    options = loaded(tmp_path, text, {"serving": {"latency_budget": 0.5}})
    assert options.serving == {"max_rows": 6, "workers": 2, "latency_budget": 0.5}


@pytest.mark.parametrize(
    ("text", "says", "remedy"),
    [
        ('raw_tabel = "df"', "unknown option 'raw_tabel'", "Did you mean 'raw_table'?"),
        ("zzz = 1", "unknown option 'zzz'", "Known options:"),
        ("[paramters]\na = 1", "[paramters]", "Did you mean [parameters]?"),
        ("[flight_delay]\na = 1", "[flight_delay]", "Did you mean [flight delay]?"),
        ("name = 3", "name is 3", "a text in quotes"),
        ('name = "Über"', "name is 'Über'", "lowercase"),
        ("target = 3", "target is 3", "column name"),
        ("fields = [1]", "fields is [1]", "column name"),
        ("tolerance = 2", "tolerance is 2", "from 0 up to 1"),
        ("tolerance = true", "tolerance is True", "from 0 up to 1"),
        ("tolerances = 3", "tolerances is 3", "probability = 1e-6"),
        ("tolerances = {price = 2}", "tolerances: price is 2", "from 0 up to 1"),
        ("timeout = 0", "timeout is 0", "seconds above 0"),
        ("filters = 3", "filters is 3", "4.7"),
        ('filters = {"4" = "validity"}', "key is '4'", "4.7"),
        ('filters = {"4.7" = "train"}', "4.7 is 'train'", "training-only"),
        ("parameters = 3", "parameters is 3", "year = 2013"),
        ("serving = 3", "serving is 3", "latency_budget = 0.5"),
        ("[serving]\nmax_row = 3", "did you mean 'max_rows'?", "nb2prod explain decisions"),
        (
            "[serving]\nlatency_budget = 0",
            "'latency_budget' is 0; expected a number of seconds above 0",
            "nb2prod explain decisions",
        ),
        ('[serving]\ncannot_answer = "retry"', '"fail" or "fallback" or "queue"', "nb2prod explain decisions"),
        (
            'serving = {jobs = false}\n["flight delay".serving]\ncannot_answer = "queue"',
            '"jobs" to be true',
            "nb2prod explain decisions",
        ),
        ("[servings]\na = 1", "[servings]", "Did you mean [serving]?"),
        ("a = = b", "not valid TOML", "key = value"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_remedy(tmp_path, text, says, remedy):
    with pytest.raises(InputError) as caught:
        loaded(tmp_path, text)
    assert says in caught.value.message
    assert "nb2prod.toml" in caught.value.message
    assert remedy in caught.value.hint


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("flight_delay", "flight_delay"),
        ("Flight Delay (2)", "flight_delay_2"),
        ("Übung-1", "uebung-1"),
        ("U\u0308bung-1", "uebung-1"),
        ("Prévision ventes", "prevision_ventes"),
        ("Łódź, señal", "lodz_senal"),
        ("...", "notebook"),
        ("日本", "notebook"),
        ("a" * 80, "a" * 63),
    ],
)
def test_the_bento_is_named_after_the_file(stem, name):
    assert bento_name(Path(f"{stem}.ipynb"), Options()) == name
    assert bento_name(Path(f"{stem}.ipynb"), Options(name="told")) == "told"


@pytest.mark.parametrize(
    ("text", "value"),
    [("2013", 2013), ("0.5", 0.5), ("true", True), ("False", False), ("None", None), ("1e3", 1000.0), ("EWR", "EWR")],
)
def test_parameter_values_are_read_as_papermill_does(text, value):
    found = parameter_value(text)
    assert found == value
    assert type(found) is type(value)


def test_home_is_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path / "here"))
    assert home.home() == tmp_path / "here"
    assert home.staging().is_dir()
    assert home.releases() == tmp_path / "here" / "releases"


def test_without_the_variable_home_is_the_users_data_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("NB2PROD_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert home.home() == tmp_path / "nb2prod"
