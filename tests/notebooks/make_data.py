"""Make the tables that the notebooks of this folder read: invented rows, shaped as public tables are.

    python tests/notebooks/make_data.py

writes `data/*.csv`, the same bytes each time. Missing values, rare categories, numbers kept as text and leaky
columns are there on purpose: they are what feature code stumbles over.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent / "data"
FIRST = ["Anna", "Karl", "Marta", "Oscar", "Elin", "Jakob", "Rosa", "Henry", "Clara", "Emil", "Ada", "Victor"]
LAST = ["Lund", "Berg", "Moreau", "Costa", "Novak", "Hill", "Okafor", "Silva", "Brandt", "Keane", "Rossi", "Ito"]


def pick(rng: np.random.Generator, options: Mapping[str, float], n: int) -> np.ndarray:
    """`n` draws of the options, by their weights."""
    weights = np.array(list(options.values()))
    return rng.choice(np.array(list(options), dtype=object), size=n, p=weights / weights.sum())


def blank(rng: np.random.Generator, values: np.ndarray, share: float) -> pd.Series:
    """The values, a share of them missing."""
    return pd.Series(values).mask(rng.random(len(values)) < share)


def passengers(n: int = 640) -> pd.DataFrame:
    rng = np.random.default_rng(1912)
    pclass = rng.choice([1, 2, 3], size=n, p=[0.24, 0.21, 0.55])
    sex = pick(rng, {"male": 0.64, "female": 0.36}, n)
    age = np.clip(rng.normal(38 - 5 * pclass, 13), 0.5, 78).round(1)
    title = np.where(
        sex == "male", np.where(age < 14, "Master", "Mr"), np.where(rng.random(n) < 0.55, "Miss", "Mrs")
    ).astype(object)
    rare = rng.choice(n, size=14, replace=False)
    title[rare] = np.where(sex[rare] == "male", rng.choice(["Dr", "Rev", "Col"], size=14), "Countess")
    name = [f"{rng.choice(LAST)}, {t}. {rng.choice(FIRST)} {rng.choice(FIRST)}" for t in title]
    sibsp = rng.choice([0, 1, 2, 3, 4], size=n, p=[0.68, 0.23, 0.04, 0.03, 0.02])
    parch = rng.choice([0, 1, 2, 3], size=n, p=[0.76, 0.13, 0.09, 0.02])
    fare = (rng.gamma(2.0, 8, n) + 45 * (pclass == 1) + 10 * (pclass == 2)).round(4)
    fare[rng.choice(n, size=4, replace=False)] = 512.3292
    deck = pick(rng, {"A": 2, "B": 5, "C": 6, "D": 4, "E": 4, "F": 2, "G": 0.4}, n)
    cabin = pd.Series([f"{d}{rng.integers(1, 130)}" for d in deck]).mask(
        rng.random(n) > np.where(pclass == 1, 0.8, 0.07)
    )
    score = 1.6 * (sex == "female") - 0.7 * (pclass - 2) - 0.02 * (age - 30) - 0.15 * sibsp - 0.6
    survived = (rng.random(n) < 1 / (1 + np.exp(-1.6 * score))).astype(int)
    return pd.DataFrame(
        {
            "PassengerId": np.arange(1, n + 1),
            "Survived": survived,
            "Pclass": pclass,
            "Name": name,
            "Sex": sex,
            "Age": blank(rng, age, 0.19),
            "SibSp": sibsp,
            "Parch": parch,
            "Ticket": [f"{rng.choice(['', 'PC ', 'A/5 ', 'STON/O2. '])}{rng.integers(2000, 390000)}" for _ in range(n)],
            "Fare": fare,
            "Cabin": cabin,
            "Embarked": blank(rng, pick(rng, {"S": 0.72, "C": 0.19, "Q": 0.09}, n), 0.006),
        }
    )


def churn(n: int = 700) -> pd.DataFrame:
    rng = np.random.default_rng(70)
    tenure = np.minimum(rng.geometric(0.035, n) - 1, 72)
    tenure[rng.choice(n, size=6, replace=False)] = 0
    internet = pick(rng, {"Fiber optic": 0.44, "DSL": 0.34, "No": 0.22}, n)
    contract = pick(rng, {"Month-to-month": 0.55, "One year": 0.21, "Two year": 0.24}, n)
    monthly = (18 + 28 * (internet == "DSL") + 55 * (internet == "Fiber optic") + rng.gamma(2, 5, n)).round(2)
    total = (monthly * tenure * rng.uniform(0.95, 1.05, n)).round(2)
    security = np.where(internet == "No", "No internet service", pick(rng, {"Yes": 0.35, "No": 0.65}, n))
    payment = pick(
        rng, {"Electronic check": 34, "Mailed check": 23, "Bank transfer": 22, "Credit card": 20.3, "Cash": 0.7}, n
    )
    score = 1.2 * (contract == "Month-to-month") + 0.7 * (internet == "Fiber optic") - 0.04 * tenure - 0.9
    churned = rng.random(n) < 1 / (1 + np.exp(-1.5 * score))
    return pd.DataFrame(
        {
            "customerID": [
                f"{rng.integers(1000, 9999)}-{''.join(rng.choice(list('ABCDEFGHKLMN'), 5))}" for _ in range(n)
            ],
            "gender": pick(rng, {"Male": 1, "Female": 1}, n),
            "SeniorCitizen": (rng.random(n) < 0.16).astype(int),
            "Partner": pick(rng, {"Yes": 0.48, "No": 0.52}, n),
            "tenure": tenure,
            "InternetService": internet,
            "OnlineSecurity": security,
            "Contract": contract,
            "PaymentMethod": payment,
            "MonthlyCharges": monthly,
            # as published: blank text where the customer has paid nothing yet
            "TotalCharges": [" " if t == 0 else f"{v:g}" for t, v in zip(tenure, total, strict=True)],
            "Churn": np.where(churned, "Yes", "No"),
        }
    )


def houses(n: int = 900) -> pd.DataFrame:
    rng = np.random.default_rng(560)
    places = [
        f"{a} {b}"
        for a in ("Green", "Lake", "Old", "North", "South", "Sunny")
        for b in ("Park", "Layout", "Nagar", "Road", "Hills")
    ]
    weight = 1 / np.arange(1, len(places) + 1) ** 1.1
    worth = dict(zip(places, rng.uniform(0.6, 1.9, len(places)), strict=True))
    place = rng.choice(places, size=n, p=weight / weight.sum())
    bhk = rng.choice([1, 2, 3, 4, 5], size=n, p=[0.08, 0.42, 0.36, 0.11, 0.03])
    sqft = (bhk * rng.normal(520, 70, n) + 120).round(0)
    bath = np.clip(bhk + rng.choice([-1, 0, 0, 1], size=n), 1, None).astype(float)
    price = (sqft * 0.055 * np.vectorize(worth.get)(place) * rng.lognormal(0, 0.12, n)).round(2)
    text = [f"{v:g}" for v in sqft]
    for i in rng.choice(n, size=24, replace=False):
        text[i] = f"{sqft[i] - 60:g} - {sqft[i] + 60:g}"
    for i in rng.choice(n, size=5, replace=False):
        text[i] = f"{sqft[i] / 10.764:.2f}Sq. Meter"
    size = pd.Series([f"{b} {'Bedroom' if rng.random() < 0.2 else 'BHK'}" for b in bhk])
    return pd.DataFrame(
        {
            "area_type": pick(
                rng, {"Super built-up  Area": 66, "Built-up  Area": 18, "Plot  Area": 15, "Carpet  Area": 1}, n
            ),
            "availability": pick(rng, {"Ready To Move": 80, "18-Dec": 8, "19-Mar": 7, "20-Jun": 5}, n),
            "location": pd.Series(place).mask(rng.random(n) < 0.002),
            "size": size.mask(rng.random(n) < 0.006),
            "society": blank(rng, pick(rng, {"Prestel": 1, "Brixo": 1, "Soanna": 1, "Elavi": 1}, n), 0.4),
            "total_sqft": text,
            "bath": blank(rng, bath, 0.02),
            "balcony": blank(rng, rng.choice([0.0, 1.0, 2.0, 3.0], size=n), 0.05),
            "price": price,
        }
    )


def bikes(days: int = 30) -> pd.DataFrame:
    rng = np.random.default_rng(24)
    stamp = pd.date_range("2012-05-01", periods=24 * days, freq="h")
    n = len(stamp)
    hour = stamp.hour.to_numpy()
    weekday = stamp.day_of_week.to_numpy()
    temp = np.clip(0.55 + 0.15 * np.sin((hour - 9) / 24 * 2 * np.pi) + rng.normal(0, 0.05, n), 0, 1).round(2)
    weather = rng.choice([1, 2, 3, 4], size=n, p=[0.66, 0.26, 0.075, 0.005])
    peak = np.exp(-((hour - 8) ** 2) / 4) + 1.3 * np.exp(-((hour - 17) ** 2) / 6)
    registered = rng.poisson(20 + 260 * peak * (weekday < 5) + 90 * temp * (weekday >= 5))
    casual = rng.poisson(5 + 60 * temp * (weekday >= 5) * (hour > 9) / weather)
    return pd.DataFrame(
        {
            "instant": np.arange(1, n + 1),
            "dteday": stamp.strftime("%Y-%m-%d"),
            "season": 2,
            "hr": hour,
            "holiday": (stamp.day == 28).astype(int),
            "weekday": (weekday + 1) % 7,
            "workingday": (weekday < 5).astype(int),
            "weathersit": weather,
            "temp": temp,
            "atemp": (temp * 0.93 + 0.03).round(4),
            "hum": np.clip(rng.normal(0.62, 0.15, n), 0, 1).round(2),
            "windspeed": np.clip(rng.gamma(2, 0.09, n), 0, 0.85).round(4),
            "casual": casual,
            "registered": registered,
            "cnt": casual + registered,
        }
    )


def loans(n: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(4455)
    seniority = np.minimum(rng.geometric(0.12, n) - 1, 45)
    income = np.clip(rng.normal(130, 55, n), 10, 900).round(0).astype(int)
    amount = rng.choice([300, 500, 700, 900, 1000, 1200, 1500, 2000], size=n)
    price = (amount * rng.uniform(1.05, 1.9, n)).round(0).astype(int)
    record = rng.choice([1, 2], size=n, p=[0.82, 0.18])
    job = rng.choice([0, 1, 2, 3, 4], size=n, p=[0.003, 0.63, 0.1, 0.22, 0.047])
    assets = np.where(rng.random(n) < 0.35, 0, rng.gamma(1.5, 3500, n)).round(0).astype(int)
    debt = np.where(rng.random(n) < 0.8, 0, rng.gamma(1.5, 900, n)).round(0).astype(int)
    score = 0.1 * seniority - 1.4 * (record == 2) + 0.012 * (income - 100) - 1.5 * (amount / price - 0.7) + 0.4
    good = rng.random(n) < 1 / (1 + np.exp(-score))
    table = pd.DataFrame(
        {
            "Status": np.where(good, 1, 2),
            "Seniority": seniority,
            "Home": rng.choice([1, 2, 3, 4, 5, 6, 0], size=n, p=[0.22, 0.47, 0.02, 0.005, 0.17, 0.11, 0.005]),
            "Time": rng.choice([12, 24, 36, 48, 60], size=n),
            "Age": np.clip(rng.normal(37, 11, n), 18, 68).round(0).astype(int),
            "Marital": rng.choice([1, 2, 3, 4, 5], size=n, p=[0.22, 0.72, 0.02, 0.03, 0.01]),
            "Records": record,
            "Job": job,
            "Expenses": rng.choice([35, 45, 60, 75, 90, 105], size=n),
            "Income": income,
            "Assets": assets,
            "Debt": debt,
            "Amount": amount,
            "Price": price,
        }
    )
    # as published: eight nines stand for "not known"
    for column, share in (("Income", 0.02), ("Assets", 0.02), ("Debt", 0.01)):
        table.loc[rng.random(n) < share, column] = 99999999
    # one loan whose outcome nobody knows
    table.loc[417, "Status"] = 0
    return table


def cars(n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(301)
    models = {
        "city": 26,
        "swift dzire": 20,
        "verna": 18,
        "fortuner": 11,
        "i20": 14,
        "Activa 3G": 6,
        "ritz": 8,
        "TVS Wego": 1,
    }
    name = pick(rng, models, n)
    base = {
        "city": 11,
        "swift dzire": 8,
        "verna": 10,
        "fortuner": 32,
        "i20": 7,
        "Activa 3G": 0.6,
        "ritz": 6.5,
        "TVS Wego": 0.5,
    }
    year = rng.integers(2005, 2019, n)
    new = (np.vectorize(base.get)(name) * rng.uniform(0.9, 1.15, n)).round(2)
    km = (rng.gamma(2.2, 3500, n) * (2019 - year) ** 0.7).round(-2).astype(int) + 500
    sell = (new * 0.9 ** (2019 - year) * np.exp(-km / 600000) * rng.lognormal(0, 0.06, n)).round(2)
    table = pd.DataFrame(
        {
            "Car_Name": name,
            "Year": year,
            "Selling_Price": sell,
            "Present_Price": new,
            "Kms_Driven": km,
            "Fuel_Type": pick(rng, {"Petrol": 78, "Diesel": 20, "CNG": 1.5}, n),
            "Seller_Type": pick(rng, {"Dealer": 65, "Individual": 35}, n),
            "Transmission": pick(rng, {"Manual": 86, "Automatic": 14}, n),
            "Owner": rng.choice([0, 1, 3], size=n, p=[0.955, 0.04, 0.005]),
        }
    )
    # the same car advertised twice
    return pd.concat([table.iloc[:120], table.iloc[[7, 31, 64]], table.iloc[120:]], ignore_index=True)


def messages(n: int = 420) -> pd.DataFrame:
    rng = np.random.default_rng(5572)
    ham = [
        "are you home yet",
        "see you at the station at six",
        "ok will call later",
        "lunch tomorrow with mum",
        "sorry i am late again",
        "did you get my mail",
        "the match was great last night",
        "thanks for the book",
    ]
    spam = [
        "WINNER claim your free prize now call 09061",
        "urgent your account wins 500 cash reply YES",
        "free ringtone text TONE to 8007",
        "you have won a holiday call now",
        "cheap loans approved today txt LOAN",
        "claim your reward code 4471 now",
    ]
    rows = []
    for _ in range(n):
        if rng.random() < 0.15:
            text = f"{rng.choice(spam)} {rng.choice(['!!!', 'T&Cs apply', 'only today', 'www.win.example'])}"
            rows.append(("spam", text))
        else:
            text = f"{rng.choice(ham)} {rng.choice(['', ':)', 'lol', 'bye', 'Anna', 'é tudo'])}".strip()
            rows.append(("ham", text))
    return pd.DataFrame(rows, columns=["Category", "Message"])


def wine(n: int, seed: int, shift: float) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    alcohol = np.clip(rng.normal(10.4, 1.1, n), 8, 14.5).round(1)
    acid = np.clip(rng.gamma(6, 0.08 - 0.03 * shift, n), 0.08, 1.6).round(3)
    sugar = np.clip(rng.gamma(1.5, 1.7 + 2.5 * shift, n), 0.6, 40).round(1)
    quality = np.clip((5.4 + 0.45 * (alcohol - 10.4) - 1.2 * (acid - 0.45) + rng.normal(0, 0.55, n)).round(0), 3, 9)
    return pd.DataFrame(
        {
            "volatile acidity": acid,
            "residual sugar": sugar,
            "pH": rng.normal(3.3 - 0.1 * shift, 0.15, n).round(2),
            "sulphates": rng.normal(0.65 - 0.15 * shift, 0.13, n).round(2),
            "alcohol": alcohol,
            "quality": quality.astype(int),
        }
    )


def pumpkins(n: int = 420) -> pd.DataFrame:
    rng = np.random.default_rng(1757)
    date = pd.Series(pd.Timestamp("2016-09-17") + pd.to_timedelta(rng.integers(0, 90, n), unit="D"))
    variety = pick(rng, {"PIE TYPE": 30, "HOWDEN TYPE": 36, "MINIATURE": 22, "FAIRYTALE": 9, "KNUCKLE HEAD": 1.5}, n)
    package = pick(rng, {"1 1/9 bushel cartons": 40, "1/2 bushel cartons": 30, "24 inch bins": 25, "50 lb sacks": 5}, n)
    low = 14 + 5 * (variety == "FAIRYTALE") + 4 * (variety == "MINIATURE") + rng.normal(0, 1.5, n)
    low = np.where(package == "1/2 bushel cartons", low * 0.7, np.where(package == "24 inch bins", low * 9, low)).round(
        2
    )
    spread = rng.choice([0.0, 1.0, 2.0], size=n)
    return pd.DataFrame(
        {
            "City Name": pick(rng, {"BALTIMORE": 30, "BOSTON": 30, "CHICAGO": 20, "ST. LOUIS": 15, "MIAMI": 3}, n),
            "Type": np.nan,
            "Package": package,
            "Variety": variety,
            "Date": date.dt.month.astype(str) + "/" + date.dt.day.astype(str) + "/" + date.dt.strftime("%y"),
            "Low Price": low,
            "High Price": low + spread,
            "Origin": pick(rng, {"MICHIGAN": 40, "ILLINOIS": 30, "TEXAS": 20, "CANADA": 10}, n),
            "Item Size": blank(rng, pick(rng, {"sml": 30, "med": 40, "lge": 20, "xlge": 5, "jbo": 5}, n), 0.16),
            "Color": blank(rng, pick(rng, {"ORANGE": 85, "WHITE": 15}, n), 0.3),
        }
    )


def orders(n: int = 1200, customers: int = 260) -> pd.DataFrame:
    rng = np.random.default_rng(88)
    customer = rng.integers(1, customers + 1, n)
    loyal = rng.random(customers + 1)
    stamp = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(rng.integers(0, 365 * 24 * 60, n)), unit="min")
    quantity = rng.integers(1, 6, n)
    return pd.DataFrame(
        {
            "order_id": np.arange(50001, 50001 + n),
            "customer_id": customer,
            "order_date": stamp.strftime("%Y-%m-%d %H:%M:%S"),
            "category": pick(rng, {"books": 30, "toys": 25, "garden": 20, "music": 15, "tools": 9, "art": 1}, n),
            "quantity": quantity,
            "unit_price": rng.gamma(2.5, 11, n).round(2),
            "coupon": blank(rng, pick(rng, {"SPRING": 1, "VIP": 1, "NEW": 1}, n), 0.7),
            "city_id": rng.integers(1, 13, n),
            "returned": (rng.random(n) < 0.08 + 0.3 * (1 - loyal[customer]) * (quantity > 2)).astype(int),
        }
    )


def cities() -> pd.DataFrame:
    rng = np.random.default_rng(12)
    ids = np.arange(1, 12)  # city 12 has orders and no entry here
    return pd.DataFrame(
        {
            "city_id": ids,
            "region": pick(rng, {"north": 1, "south": 1, "west": 1}, 11),
            "population": rng.integers(20, 900, 11) * 1000,
        }
    )


def movies(n: int = 260) -> pd.DataFrame:
    rng = np.random.default_rng(260)
    genres = ["Drama", "Comedy", "Action", "Thriller", "Romance", "Animation", "Western"]
    weight = np.array([30, 25, 20, 12, 9, 5, 1]) / 102
    chosen = [sorted(rng.choice(genres, size=rng.integers(1, 4), replace=False, p=weight)) for _ in range(n)]
    budget = rng.gamma(1.5, 22, n).round(1)
    rating = np.clip(
        5.6 + 0.8 * np.array(["Drama" in g for g in chosen]) + 0.012 * budget + rng.normal(0, 0.6, n), 1, 10
    )
    return pd.DataFrame(
        {
            "movie_id": np.arange(1, n + 1),
            "title": [
                f"The {rng.choice(LAST)} {rng.choice(['Story', 'Affair', 'Return', 'Summer'])}" for _ in range(n)
            ],
            "genres": ["|".join(g) for g in chosen],
            "year": rng.integers(1975, 2024, n),
            "runtime": blank(rng, rng.integers(78, 190, n).astype(float), 0.05),
            "budget": budget,
            "rating": rating.round(1),
        }
    )


def main() -> None:
    HERE.mkdir(exist_ok=True)
    people = passengers()
    credit = loans()
    tables = {
        "passengers": people,
        "passengers_train": people.iloc[:440],
        "passengers_test": people.iloc[440:].drop(columns="Survived"),
        "churn": churn(),
        "houses": houses(),
        "bikes": bikes(),
        "loans": credit,
        "loans_x": credit.drop(columns="Status"),
        "loans_y": credit[["Status"]],
        "cars": cars(),
        "messages": messages(),
        "red_wine": wine(260, 1599, 0.0),
        "white_wine": wine(340, 4898, 1.0),
        "pumpkins": pumpkins(),
        "orders": orders(),
        "cities": cities(),
        "movies": movies(),
    }
    for name, table in tables.items():
        table.to_csv(HERE / f"{name}.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
