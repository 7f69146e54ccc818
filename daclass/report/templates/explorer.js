// The class explorer: finds a class, and shows what the study knows of it. All text enters the page
// as text; charts are Vega-Embed's, with its interpreter in the place of eval.
(() => {
  const data = JSON.parse(document.getElementById("explorer-data").textContent);
  const { conditions, classes } = data;
  const byName = new Map(classes.map((entry, place) => [entry.name, place]));
  const byId = new Map(classes.map((entry, place) => [entry.id, place]));
  const truthNames = { original: "original label", multi: "any annotated label" };
  const $ = (id) => document.getElementById(id);
  const views = {};
  let shown = 0;

  const number = (value, digits = 1, signed = false) => {
    if (value === null || value === undefined) return "–";
    const text = Math.abs(value).toFixed(digits);
    const zero = Number(text) === 0;
    return (value < 0 && !zero ? "−" : signed && !zero ? "+" : "") + text;
  };
  const interval = (low, high, digits = 1) =>
    low === null || low === undefined ? "" : ` [${number(low, digits)}, ${number(high, digits)}]`;
  const chance = (p) => (p === null ? "–" : p < 0.001 ? "<0.001" : p < 0.1 ? p.toFixed(3) : p.toFixed(2));
  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const named = (name) => element("bdi", {}, name);

  // ---- charts

  const share = (value) => (value === null ? null : Math.min(100, Math.max(0, value)));

  const draw = async (id) => {
    const spec = data.charts[id];
    const result = await vegaEmbed(`#chart-${id}`, { ...spec, datasets: { rows: rowsOf[id]() } }, {
      ast: true, renderer: "svg", actions: false, logLevel: 1, // a class without intervals is no news
    });
    views[id] = result.view;
    if (id === "overview") {
      result.view.addEventListener("click", (_, item) => {
        if (item && item.datum && item.datum.id !== undefined) show(byId.get(item.datum.id));
      });
    }
  };

  const rowsOf = {
    overview: () => classes.map((entry, place) => ({
      id: entry.id, rank: place + 1, name: entry.name, drop: entry.drop, low: entry.low,
      high: entry.high, q: entry.q, found: entry.found, null_low: entry.null_low,
      null_high: entry.null_high, shown: place === shown,
      interval: interval(entry.low, entry.high).trim() || "none",
    })),
    accuracy: () => data.truths.flatMap((truth) => {
      const curve = (classes[shown].curves || {})[truth];
      return !curve ? [] : conditions.names.map((condition, i) => ({
        condition, position: conditions.positions[i], truth: truthNames[truth],
        first: truth === data.truths[0], accuracy: curve.accuracy[i], low: share(curve.low[i]),
        high: share(curve.high[i]), null_low: share(curve.null_low[i]),
        null_high: share(curve.null_high[i]),
        interval: interval(curve.low[i], curve.high[i]).trim() || "none",
        seeds_interval: interval(curve.seeds_low[i], curve.seeds_high[i]).trim() || "none",
        null_interval: interval(curve.null_low[i], curve.null_high[i]).trim() || "unknown",
        images: curve.images,
      }));
    }),
    errors: () => {
      const errors = (classes[shown].errors || {})[data.truths[data.truths.length - 1]];
      return !errors ? [] : ["false_positives", "false_negatives"].flatMap((kind) =>
        conditions.names.map((condition, i) => ({
          condition, position: conditions.positions[i], error: kind.replace("_", " "),
          pictures: errors[kind][i],
        })));
    },
  };

  const redraw = (id) => {
    const view = views[id];
    if (!view) return;
    view.data("rows", rowsOf[id]()).resize().runAsync();
  };

  // ---- the panel

  const row = (cells, head = false) => element("tr", {}, ...cells.map((cell, i) =>
    head ? element("th", { scope: "col" }, cell)
      : i === 0 ? element("th", { scope: "row" }, cell) : element("td", {}, cell)));

  const caption = (text) => element("caption", {}, element("span", {}, text));

  const facts = (entry) => {
    const level = `${Math.round(100 * data.confidence)}%`;
    const evidence = `${entry.seeds} ${entry.seeds === 1 ? data.replicate : data.replicates}, ` +
      `${entry.images.toLocaleString("en")} picture${entry.images === 1 ? "" : "s"}`;
    const list = [[`points lost ${data.contrast}`,
      `${number(entry.drop)}${interval(entry.low, entry.high)} (${level}; ${evidence})`]];
    if (entry.seeds_low !== null)
      list.push(["on these very pictures", `${number(entry.drop)}${interval(entry.seeds_low, entry.seeds_high)}`]);
    if (entry.shrunken !== null) list.push(["shrunk towards all classes", number(entry.shrunken)]);
    list.push(["q-value", chance(entry.q)]);
    if (entry.pMax !== null) list.push(["p-value, adjusted for the largest of all", chance(entry.pMax)]);
    if (entry.detectable !== null)
      list.push(["smallest drop found 4 times in 5", `${number(entry.detectable)} points`]);
    list.push(["found to lose", entry.q === null ? "cannot tell: one run allows no test" : entry.found ? "yes" : "no"]);
    list.push(["chosen for follow-up", entry.affected ? "yes" : "no"]);
    for (const [policy, strength] of Object.entries(entry.policies))
      list.push([`policy “${policy}”`, `${data.noun} ${strength}`]);
    $("class-facts").replaceChildren(...list.flatMap(([term, value]) =>
      [element("dt", {}, term), element("dd", {}, value)]));
  };

  const curveTable = (entry) => {
    const truths = data.truths.filter((truth) => (entry.curves || {})[truth]);
    const head = [data.noun, ...truths.map((truth) => `${truthNames[truth]} (%)`), "false positives", "false negatives"];
    const errors = (entry.errors || {})[data.truths[data.truths.length - 1]];
    const rows = conditions.names.map((name, i) => row([name, ...truths.map((truth) => {
      const curve = entry.curves[truth];
      const seeds = interval(curve.seeds_low[i], curve.seeds_high[i]);
      return number(curve.accuracy[i]) + interval(curve.low[i], curve.high[i]) + (seeds && ` · these${seeds}`);
    }), ...(errors ? [number(errors.false_positives[i]), number(errors.false_negatives[i])] : ["–", "–"])]));
    $("class-numbers").replaceChildren(
      caption(`Accuracy and errors by ${data.noun}. Brackets: intervals for new ${data.replicates} and new pictures; after the dot, for these pictures and new ${data.replicates}.`),
      element("thead", {}, row(head, true)), element("tbody", {}, ...rows));
  };

  const confusionTable = (entry) => {
    const body = entry.confusions.map((pair) => {
      const other = classes[byId.get(pair.id)];
      const link = element("a", { href: "#explorer", "data-class": pair.id }, named(other ? other.name : pair.id));
      const mark = pair.chosen ? element("span", {}, link, " (the swallower of section 4)") : link;
      return row([mark, `${number(pair.growth, 1, true)}${interval(pair.low, pair.high)}`,
        number(pair.reference), number(pair.tested), pair.category, `${number(pair.overlap, 0)}%`,
        number(pair.similarity, 2)]);
    });
    $("class-confusions").replaceChildren(
      caption(body.length
        ? "Classes that more and more of its pictures are taken for, on all pictures. Growth in points; overlap in the larger of both directions."
        : "No confusion of this class grew, or the study has not listed them."),
      element("thead", {}, row(["taken for", "growth", `% ${data.underReference}`, `% ${data.underTested}`,
        "kind", "overlap", "similarity"], true)),
      element("tbody", {}, ...body));
  };

  const examples = (entry) => {
    const svg = (tag, attributes) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      return made;
    };
    const figures = entry.examples.map((picture) => {
      const labels = picture.labels.length ? picture.labels.join(", ") : "none of the classes";
      const image = element("img", {
        src: `data:image/jpeg;base64,${picture.jpeg}`, width: picture.width, height: picture.height,
        alt: picture.training ? `A training picture of ${entry.name}` : `A picture of ${entry.name}; labels: ${labels}`,
      });
      const overlay = svg("svg", { viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" });
      picture.boxes.forEach(([, left, top, width, height], i) => {
        for (const layer of ["halo", "line"])
          overlay.append(svg("rect", { x: left, y: top, width, height, class: `box ${layer} box-${i}` }));
      });
      const frame = element("div", { class: "frame" }, image, overlay);
      frame.style.aspectRatio = `${picture.width} / ${picture.height}`;
      const votes = (right) => `${right} of ${picture.seeds} right`;
      const caption = picture.training ? element("figcaption", {},
        element("strong", {}, "training picture"), element("br"), "with the crops that one network saw of it in its first epoch")
        : element("figcaption", {},
        element("strong", {}, picture.chosen), ` · labels: `, named(labels),
        element("br"), `${data.underReference}: `, named(picture.saidReference), ` (${votes(picture.rightReference)})`,
        element("br"), `${data.underTested}: `, named(picture.saidTested), ` (${votes(picture.rightTested)})`);
      return element("figure", { class: "example", title: picture.file }, frame, caption);
    });
    $("class-examples").replaceChildren(...figures);
    const first = entry.examples.find((picture) => picture.boxes.length);
    const key = first ? first.boxes.map(([strength], i) =>
      element("span", { class: `key box-${i}` }, `crop at ${strength}`)) : [];
    $("class-examples-note").replaceChildren(...(figures.length
      ? ["Lost and gained pictures are the ones that most runs change on: chosen to illustrate, not to count. Typical and training pictures are drawn by a hash of their name. ", ...key]
      : [data.hasExamples ? "This class has no example pictures: their number is capped." : "Example pictures are not in this study."]));
  };

  // ---- the classes that are stepped through

  const wanted = (place) => {
    const filter = $("class-filter").value;
    return filter === "all" || classes[place][filter];
  };
  const beside = (step) => {
    let place = shown + step;
    while (classes[place] && !wanted(place)) place += step;
    return classes[place] ? place : undefined;
  };
  const listNames = () => $("class-options").replaceChildren(...classes
    .filter((_, place) => wanted(place)).map((entry) => element("option", { value: entry.name })));

  const csv = () => {
    const columns = ["name", "drop", "low", "high", "q", "found", "affected", "seeds", "images"];
    const cell = (value) => {
      const said = value === null || value === undefined ? "" : String(value);
      // A spreadsheet runs texts that begin so; numbers may begin with a minus.
      const text = typeof value === "string" && /^[=+\-@\t\r]/.test(said) ? `'${said}` : said;
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const rows = classes.filter((_, place) => wanted(place))
      .map((entry) => columns.map((column) => cell(entry[column])).join(","));
    return [columns.join(","), ...rows].join("\n") + "\n";
  };

  const show = (place, moved = true) => {
    if (place === undefined || !classes[place]) return;
    shown = place;
    const entry = classes[place];
    $("class-name").replaceChildren(named(entry.name));
    $("class-rank").textContent = `rank ${place + 1} of ${classes.length} by what it loses`;
    $("class-search").value = entry.name;
    $("class-missing").textContent = "";
    $("class-before").disabled = beside(-1) === undefined;
    $("class-after").disabled = beside(1) === undefined;
    facts(entry);
    if ($("class-numbers")) curveTable(entry);
    confusionTable(entry);
    examples(entry);
    Object.keys(views).forEach(redraw);
    if (moved) history.replaceState(null, "", `#class=${encodeURIComponent(entry.name)}`);
  };

  // ---- finding a class

  const find = (text) => {
    const wanted = text.trim().toLocaleLowerCase();
    if (!wanted) return undefined;
    if (byName.has(text.trim())) return byName.get(text.trim());
    const places = [...classes.keys()];
    const lower = (place) => classes[place].name.toLocaleLowerCase();
    return places.find((place) => lower(place).startsWith(wanted)) ??
      places.find((place) => lower(place).includes(wanted));
  };
  listNames();
  $("class-filter").addEventListener("change", () => {
    listNames();
    const first = [...classes.keys()].find(wanted);
    if (first === undefined) $("class-missing").textContent = "There is no such class.";
    else show(wanted(shown) ? shown : first);
  });
  $("class-download").addEventListener("click", () => {
    const address = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
    element("a", { href: address, download: "classes.csv" }).click();
    URL.revokeObjectURL(address);
  });
  $("class-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $("class-search").value, place = find(text);
    if (place === undefined) $("class-missing").textContent = text.trim() ? `No class is called “${text.trim()}”.` : "";
    else show(place);
  });
  $("class-search").addEventListener("input", () => {
    const place = byName.get($("class-search").value);
    if (place !== undefined && place !== shown) show(place);
  });
  $("class-search").addEventListener("focus", (event) => event.target.select());
  $("class-before").addEventListener("click", () => show(beside(-1)));
  $("class-after").addEventListener("click", () => show(beside(1)));
  document.addEventListener("click", (event) => {
    const link = event.target.closest ? event.target.closest("a[data-class]") : null;
    if (!link || !byId.has(Number(link.dataset.class))) return;
    event.preventDefault();
    show(byId.get(Number(link.dataset.class)));
    $("explorer").scrollIntoView();
    $("class-heading").focus({ preventScroll: true });
  });

  const asked = () => {
    const match = location.hash.match(/^#class=(.*)$/s);
    return match ? byName.get(decodeURIComponent(match[1])) : undefined;
  };
  addEventListener("hashchange", () => {
    const place = asked();
    if (place !== undefined && place !== shown) { show(place, false); $("explorer").scrollIntoView(); }
  });
  const start = asked();
  $("class-panel").hidden = false;
  show(start ?? 0, false);
  const drawn = Object.keys(rowsOf).filter((id) => $(`chart-${id}`));
  Promise.all(drawn.map(draw)).then(() => {
    document.documentElement.dataset.charts = "drawn";
    if (start !== undefined) $("explorer").scrollIntoView();
  });
})();
