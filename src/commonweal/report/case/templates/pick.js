(function () {
  "use strict";
  var data = JSON.parse(document.getElementById("live-data").textContent);
  var boxes = Array.from(document.querySelectorAll("input[data-site]"));
  var marks = Array.from(document.querySelectorAll("g[data-site]"));
  var shapes = {};
  document.querySelectorAll("[data-point]").forEach(function (shape) { shapes[shape.dataset.point] = shape; });
  var worth = data.worth;

  // Numbers in words, as Python has them in briefing.words and appraisal.words.
  function even(value) {
    var whole = Math.round(value);
    return Math.abs(value % 1) === 0.5 && whole % 2 ? whole - 1 : whole;
  }
  function grouped(value, places) {
    return value.toLocaleString("en-GB", { minimumFractionDigits: places, maximumFractionDigits: places });
  }
  function whole(value) { return grouped(even(value), 0); }
  function people(n) {
    if (even(n) === 1) { return "1 person"; }
    return n >= 1e6 ? (n / 1e6).toFixed(2) + " million people" : whole(n) + " people";
  }
  function percent(share) {
    if (share > 0 && share < 0.01) { return "under 1%"; }
    if (share > 0.99 && share < 1) { return "over 99%"; }
    return even(share * 100) + "%";
  }
  function money(pounds) {
    var sign = pounds < 0 ? "−" : "", size = Math.abs(pounds);
    if (!isFinite(pounds)) { return "not defined"; }
    if (size >= 999500) {
      var millions = size / 1e6;
      return sign + "£" + grouped(millions, Math.max(0, 2 - Math.floor(Math.log10(millions)))) + " million";
    }
    if (size >= 1000) { return sign + "£" + grouped(Number(size.toPrecision(3)), 0); }
    return sign + "£" + (size === Math.floor(size) || size >= 100 ? whole(size) : grouped(size, 2));
  }
  function ratio(value) {
    if (!isFinite(value)) { return "not defined"; }
    var size = Math.abs(value), said = size < 10 ? size.toFixed(2) : grouped(size, 1);
    return value < 0 && Number(said.replace(/,/g, "")) ? "−" + said : said;
  }
  function fill(text, by) { return text.replace(/{(\w+)}/g, function (_, name) { return by[name]; }); }

  // What cost and worth follow from: see commonweal.case.picking.
  function floats(text) {
    var bytes = Uint8Array.from(atob(text), function (c) { return c.charCodeAt(0); });
    var view = new DataView(bytes.buffer);
    return Float64Array.from({ length: bytes.length / 4 }, function (_, k) { return view.getFloat32(4 * k, true); });
  }
  if (worth) {
    ["chance", "cost", "benefit"].forEach(function (name) { worth[name] = floats(worth[name]); });
    worth.effects.forEach(function (effect) {
      ["grid", "sizes", "shares"].forEach(function (name) { effect[name] = floats(effect[name]); });
      effect.most = effect.most === null ? Infinity : effect.most;
    });
  }
  function mean(values) { return values.reduce(function (sum, v) { return sum + v; }, 0) / values.length; }
  function spread(values) {
    var middle = mean(values);
    return Math.sqrt(mean(values.map(function (v) { return (v - middle) * (v - middle); })));
  }
  function quantile(sorted, share) {
    var at = share * (sorted.length - 1), low = Math.floor(at), high = Math.min(low + 1, sorted.length - 1);
    return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
  }
  function digits(value) { return Number(value.toPrecision(4)); }
  function sum(values) { return values.reduce(function (a, b) { return a + b; }, 0); }

  function reachedOf(effect, newly, share) {
    return sum(newly.map(function (n) { return Math.min(share * n, effect.most); }));
  }
  function gain(newly, total) {
    var drawn = new Float64Array(worth.effects.length ? worth.effects[0].sizes.length : 1), middle = 0;
    worth.effects.forEach(function (effect) {
      var capped = newly.some(function (n) { return effect.most < effect.top * n; });
      var shares = capped ? effect.grid : [effect.reaches];
      middle += effect.size * mean(shares.map(function (share) { return reachedOf(effect, newly, share); }));
      effect.shares.forEach(function (share, d) { drawn[d] += effect.sizes[d] * reachedOf(effect, newly, share); });
    });
    var scale = worth.lasting / total;
    return { mean: digits(middle * scale), spread: digits(spread(drawn) * scale) };
  }
  function valued(newly) {
    var total = sum(newly);
    if (!worth || !total) { return [data.say.untold]; }
    var size = worth.by_people ? total / 1000 : newly.length, quantity = gain(newly, total);
    var cost = worth.cost.map(function (c) { return c * size; });
    var benefit = worth.benefit.map(function (b, d) {
      return total * (quantity.mean + quantity.spread * worth.chance[d]) * b;
    });
    var ratios = benefit.map(function (b, d) { return b / cost[d]; }).sort();
    var above = benefit.filter(function (b, d) { return b > cost[d]; }).length / worth.draws;
    cost.sort();
    return [
      fill(data.say.cost, {
        costed: worth.costed, years: worth.years, cost: money(worth.each[0] * size),
        low: money(quantile(cost, 0.025)), high: money(quantile(cost, 0.975))
      }),
      fill(data.say.worth, {
        each: money(total * quantity.mean * worth.each[1] / (worth.each[0] * size)),
        low: ratio(quantile(ratios, 0.025)), high: ratio(quantile(ratios, 0.975)),
        sure: percent(above), draws: whole(worth.draws)
      })
    ];
  }

  function element(name, text, kind) {
    var made = document.createElement(name);
    made.textContent = text;
    if (kind) { made.className = kind; }
    return made;
  }
  function replace(id, parts) {
    var held = document.getElementById(id);
    held.replaceChildren.apply(held, parts);
  }
  function tell() {
    var newly = boxes.map(function () { return 0; }), rows = [], total = 0;
    data.points.forEach(function (point, k) {
      var nearest = point[2].find(function (site) { return boxes[site].checked; });
      var is = nearest !== undefined;
      if (shapes[k]) { shapes[k].classList.toggle("anew", is); }
      if (!is) { return; }
      newly[nearest] += point[1];
      total += point[1];
      rows.push([point[0], point[1], nearest]);
    });
    var picked = boxes.filter(function (box) { return box.checked; });
    boxes.forEach(function (box, k) {
      marks[k].classList.toggle("on", box.checked);
      if (box.checked) { marks[k].parentNode.append(marks[k]); }
      box.closest("tr").cells[2].textContent = box.checked ? whole(newly[k]) : "";
    });
    var one = picked.length === 1, said = ["Tick a site to see whom it reaches, what it costs and what it is worth."];
    if (picked.length) {
      said = [fill(data.say.reached, {
        new: picked.length + (one ? " new venue" : " new venues"), anew: people(total), within: data.say.within,
        share: percent((data.before + total) / data.people), total: people(data.people),
        before: percent(data.before / data.people)
      })].concat(valued(newly.filter(function (_, k) { return boxes[k].checked; })));
    }
    replace("live-answer", said.map(function (text) { return element("p", text); }));
    document.getElementById("live-reached-title").textContent =
      "Newly reached: " + whole(rows.length) + " of " + whole(data.demand) + " " + data.plural;
    rows.sort(function (a, b) { return b[1] - a[1]; });
    replace("live-rows", rows.map(function (row) {
      var line = document.createElement("tr"), head = element("th", row[0]);
      head.scope = "row";
      line.append(head, element("td", whole(row[1]), "n"), element("td", row[2] + 1 + ". " + data.sites[row[2]]));
      return line;
    }));
  }
  function pick(which) {
    boxes.forEach(function (box) { box.checked = which === "proposed" && "proposed" in box.dataset; });
    tell();
  }

  boxes.forEach(function (box) { box.addEventListener("change", tell); });
  marks.forEach(function (mark, k) {
    mark.addEventListener("click", function () { boxes[k].checked = !boxes[k].checked; tell(); });
  });
  document.querySelectorAll("[data-pick]").forEach(function (button) {
    button.addEventListener("click", function () { pick(button.dataset.pick); });
  });
  document.querySelectorAll("[data-live]").forEach(function (part) { part.hidden = false; });
  pick("proposed");
})();
