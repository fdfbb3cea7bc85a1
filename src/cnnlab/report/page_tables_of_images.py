"""The page's tables of what networks say image by image."""

from cnnlab.report.conditions import ALPHA
from cnnlab.report.content import Report
from cnnlab.report.page_table import Kind, PageTable, Value, probability
from cnnlab.report.wording import difference, together, value, without_factors


def image_tests(report: Report) -> PageTable:
    head: list[tuple[str, Kind]] = [("first", "text"), ("second", "text"), ("first - second", "number")]
    head += [("95 % interval", "number"), ("only first right", "number"), ("only second right", "number")]
    rows = []
    for one in report["image_tests"]:
        ends = [difference("accuracy", one[key], unit=False) for key in ("low", "high")]
        starred = " *" if one["p_holm"] < ALPHA else ""
        rows.append(
            [
                Value(_condition(report, one["first"])),
                Value(_condition(report, one["second"])),
                Value(difference("accuracy", one["difference"]) + starred, one["difference"]),
                Value(f"[{', '.join(ends)}]", one["low"]),
                Value(f"{one['only_first']:,}", one["only_first"]),
                Value(f"{one['only_second']:,}", one["only_second"]),
                probability(one["p_holm"]),
                Value(f"{one['images']:,}", one["images"]),
            ]
        )
    about = (
        "Seed ensembles of two conditions on the same test images: McNemar's test, bootstrap over images. It is about "
        "these very networks; whether other seeds would say the same, the tests by seed tell."
    )
    return PageTable("Image by image", about, [*head, ("p (Holm)", "number"), ("images", "number")], rows)


def calibration(report: Report) -> PageTable:
    if report["configuration"]:
        return _calibration_of_one(report)
    head: list[tuple[str, Kind]] = [("condition", "text"), ("one network", "number"), ("ensemble of seeds", "number")]
    rows = [
        [
            Value(_condition(report, one["condition"])),
            Value(value("accuracy", one["single"]), one["single"]),
            Value(value("accuracy", one["ensemble"]), one["ensemble"]),
            Value(difference("accuracy", one["ensemble"] - one["single"]), one["ensemble"] - one["single"]),
            Value(value("accuracy", one["ece"]), one["ece"]),
            Value(str(one["n"]), one["n"]),
        ]
        for one in report["images"]
    ]
    about = (
        "Test accuracy of single networks and of their averaged probabilities; expected calibration error in 15 bins."
    )
    columns: list[tuple[str, Kind]] = [*head, ("gain", "number"), ("ECE", "number"), ("n", "number")]
    return PageTable("Ensembles and calibration", about, columns, rows)


def _calibration_of_one(report: Report) -> PageTable:
    rows = [[Value(value("accuracy", one[key]), one[key]) for key in ("single", "ece")] for one in report["images"]]
    about = "Test accuracy, and the expected calibration error in 15 bins."
    return PageTable("Calibration", about, [("test accuracy", "number"), ("ECE", "number")], rows)


def hardest(report: Report) -> PageTable:
    head: list[tuple[str, Kind]] = [("test image", "number"), ("label", "text"), ("taken for", "text")]
    rows = [
        [
            Value(str(one["index"]), one["index"]),
            Value(one["label"]),
            Value(one["predicted"]),
            Value(value("accuracy", one["confidence"]), one["confidence"]),
            Value(f"{one['wrong']} of {one['cells']}", one["wrong"]),
        ]
        for one in report["hardest"]
    ]
    place = "A number is the image's place in the test set, from 0, and its index in predictions.npz."
    columns: list[tuple[str, Kind]] = [*head, ("with confidence", "number"), ("cells that err", "number")]
    if report["configuration"]:
        about = "Images that the network is surest about, and wrong; some of them may be labelled wrongly."
        drawn = f"cnnlab look run={report['study']} pictures=mistakes draws them."
        return PageTable("The hardest images", f"{about} {place} {drawn}", columns[:-1], [row[:-1] for row in rows])
    about = "Images that most cells get wrong; some of them may be labelled wrongly."
    drawn = "To see some of them: cnnlab look run=RUN pictures=mistakes, with the folder of one cell."
    return PageTable("The hardest images", f"{about} {place} {drawn}", columns, rows)


def _condition(report: Report, place: int) -> str:
    return together(report["conditions"][place]["levels"]) or without_factors(report)
