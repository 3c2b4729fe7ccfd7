from setuptools import Extension, setup

setup(
    name="leg",
    version="0.1",
    packages=["leg"],
    ext_modules=[Extension("leg._fast", ["fast.c"])],
    scripts=["leg-script"],
)
