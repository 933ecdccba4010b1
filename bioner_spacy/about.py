__version__ = "0.2.1"

PROJECT = ("project.yml", "configs", "assets/sample", "assets/abstracts", "docker")
"""Files and folders of a new project; setup.py puts them into the wheel."""
