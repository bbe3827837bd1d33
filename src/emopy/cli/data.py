"""`emopy data`: look at labelled faces, find what is wrong with them, prepare collections."""

from __future__ import annotations

import click

from emopy.cli.data_check import check
from emopy.cli.data_describe import describe
from emopy.cli.data_prepare import prepare
from emopy.cli.data_samples import samples
from emopy.cli.data_show import show
from emopy.cli.data_split import split
from emopy.cli.groups import NearestGroup


@click.group(cls=NearestGroup)
def data() -> None:
    """Describe, check, show, split and prepare labelled faces.

    DATA is a .npz file that `emopy data split` or `prepare` wrote, a folder with one folder of
    images per emotion, or a .csv file with one face per row. FILE.csv#PART takes the rows of
    one split only. FILE.csv.toml beside the file says what its columns and labels mean, where
    they are not those of FER2013 (see docs/data.md).
    """


for verb in (describe, check, show, split, prepare, samples):
    data.add_command(verb)
