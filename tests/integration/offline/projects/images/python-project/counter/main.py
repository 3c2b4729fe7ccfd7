import click


@click.command()
@click.argument("number", type=int)
def main(number):
    click.echo(" ".join(map(str, range(number))))
