"""`tinynas data`: what makes and checks data sets."""

import typer

from tinynas.cli.captures import from_pcap

data = typer.Typer(help="Make and check data sets.", no_args_is_help=True)
data.command("from-pcap")(from_pcap)
