"""From a study to other weights, a map, an uncertainty table, one's own points, and a folder opened again."""

import marimo

__generated_with = "0.25.2"
app = marimo.App()


@app.cell
def _():
    import commonweal as cw

    results = cw.run("demo", draws=200, sensitivity=False)  # a fictional county
    results
    return cw, results


@app.cell
def _(cw, results):
    heavier = results.rescore(weights={"community_needs.places": 2}, cut={"left_behind": "15%"})
    moved = cw.compare(results, heavier).lists
    print(int(moved.enter.sum()), "enter,", int(moved.leave.sum()), "leave")
    return heavier, moved


@app.cell
def _(results):
    shapes = results.to_geopandas()
    shapes.plot("share_of_draws", legend=True)  # the share of recalculations that list a place
    return (shapes,)


@app.cell
def _(results):
    uncertain = results.certainty["left_behind"].to_frame().sort("share_of_draws", descending=True)
    uncertain.head(10)
    return (uncertain,)


@app.cell
def _(cw, shapes):
    homes = shapes.set_geometry(
        shapes.to_crs(27700).representative_point()
    )  # your own GeoDataFrame
    places = cw.Store.from_environment().table("county-places", ["name", "lon", "lat"])
    near = cw.access.nearest(homes, (places["lon"], places["lat"]))
    return (near,)


@app.cell
def _(cw, heavier):
    opened = cw.open(heavier.save("results/heavier"))  # nothing is run again
    opened.area(opened.areas.codes[0])
    return (opened,)


if __name__ == "__main__":
    app.run()
