// Shows the rows of a table that hold what is typed into the box above it, and counts them.
document.querySelectorAll("input[data-table]").forEach(function (box) {
  var rows = Array.from(document.getElementById(box.dataset.table).tBodies[0].rows);
  var texts = rows.map(function (r) { return r.textContent.toLowerCase(); });
  var said = box.parentNode.querySelector("[role=status]");
  box.parentNode.hidden = false;
  box.addEventListener("input", function () {
    var wanted = box.value.trim().toLowerCase(), shown = 0;
    rows.forEach(function (row, k) {
      row.hidden = texts[k].indexOf(wanted) < 0;
      if (!row.hidden) { shown += 1; }
    });
    said.textContent = wanted ? shown.toLocaleString("en-GB") + " / " + rows.length.toLocaleString("en-GB") : "";
  });
});
