from click.testing import CliRunner

from emopy.cli.data_samples import samples
from emopy.errors import DataError


def test_the_sample_data_are_written_and_their_folder_is_named(tmp_path):
    out = tmp_path / "samples"
    result = CliRunner().invoke(samples, [str(out)])
    assert result.exit_code == 0
    assert result.output.strip() == str(out)
    assert (out / "stills" / "test" / "fear" / "015.png").is_file()
    assert (out / "clips" / "train" / "fear" / "011" / "7.png").is_file()
    assert (out / "stills.csv").is_file()


def test_a_folder_in_use_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    assert isinstance(CliRunner().invoke(samples, [str(tmp_path)]).exception, DataError)
