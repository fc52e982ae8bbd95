import pytest

from fuzhengtong.dispatch import gazetteer, normal

from . import dispatch_city as city


class TestPublishedCity:
    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("大巴镇二门得力村", 210921108201),
            ("佛寺镇八道岭村", 210921103204),
            ("新邱区长营子镇大岗岗村", 210903101204),
            ("新邱區長營子鎮大崗崗村", 210903101204),
            ("阜蒙县扎兰营子镇康四村八苏台屯", 210921125213),
            ("旧庙镇海力板村三组", 210921105210),
            ("冯家镇得力村", 210922104207),
            ("康四村", 210921125213),
            ("阜蒙县务欢池镇新邱村", 210921106218),
            ("二道河子乡太平河村", 210922202206),
            ("新竹社区居委会", 210911008006),
            ("新竹社会居委会", 210911008006),
            ("田家社区居民委会员", 210921109001),
            ("东五家子村村民委员会", 210903101206),
            ("场直社区", 210922107002),
            ("八道岭的路", 210921103204),
            ("佛寺镇那边停水了，八道岭的沟里全是垃圾", 210921103204),
            ("大巴二门得力村的路", 210921108201),
            ("我家在佛寺镇，水泉村的井坏了", 210921103205),
            ("去阜蒙县人社局办退休，我家佛寺镇八道岭村", 210921103204),
        ],
    )
    def test_a_named_unit_is_found(self, text, code):
        found = city.located(text)

        assert (found.status, found.area_id) == ("found", code)

    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("四合镇的路", "四合镇"),
            ("四合城镇的路", "四合城镇"),
            ("六家子街道", "六家子街道"),
            ("东六家子镇", "东六家子镇"),
            ("西六家子镇", "西六家子镇"),
            ("福兴地镇", "福兴地镇"),
            ("前福兴地镇", "前福兴地镇"),
            ("平安镇", "平安镇"),
            ("平安地镇", "平安地镇"),
            ("平安西部街道", "平安西部街道"),
            ("太平区", "太平区"),
            ("太平镇", "太平镇"),
            ("太平村", "太平村委会"),
            ("太平社区", "太平社区居委会"),
            ("阜新镇", "阜新镇"),
            ("彰武镇", "彰武镇"),
            ("清河街道", "清河街道"),
            ("玉龙社区", "玉龙社区居委会"),
            ("玉龙街道", "玉龙街道"),
            ("新北社区", "新北社区居委会"),
            ("新北街道", "新北街道"),
            ("站前社区", "站前社区居委会"),
            ("站前街道", "站前街道"),
            ("哈尔套村", "哈尔套村委会"),
            ("哈尔套镇", "哈尔套镇"),
            ("四合社区", "四合社区居委会"),
            ("阜蒙县", "阜新蒙古族自治县"),
            ("蒙县", "阜新蒙古族自治县"),
            ("彰武有个老人走丢了", "彰武县"),
            ("海州那边停电了", "海州区"),
        ],
    )
    def test_names_inside_other_names_are_told_apart(self, text, name):
        found = city.located(text)

        assert found.area_id is not None
        unit = city.published_gazetteer().unit(found.area_id)
        assert unit is not None
        assert unit.name == name

    @pytest.mark.parametrize(
        ("text", "n"),
        [
            ("新邱村", 6),
            ("阜蒙县新邱村", 6),
            ("长营子", 3),
            ("水泉", 5),
            ("我是水泉的", 5),
            ("太平", 4),
            ("新邱", 7),
            ("六家子村", 3),
            ("从旧庙镇海力板村到佛寺镇八道岭村的路", 2),
            ("海州区、太平区都停水了", 2),
            ("我不同意村委会的方案", 1),
            ("小西山村的路", 1),
            ("主城区街道太脏", 1),
        ],
    )
    def test_what_may_be_several_places_is_asked(self, text, n):
        found = city.located(text)

        assert (found.status, found.area_id, len(found.candidates)) == ("ambiguous", None, n)

    @pytest.mark.parametrize(
        "text",
        [
            "大众路中段",
            "黑山县太平村",
            "锦州市的太平村",
            "我家门口一棵树倒了",
            "细河里有污水",
            "阜新村镇银行不给取钱",
            "阜新市的事",
            "阳光村务没公开",
            "公园里的树倒了",
            "平安保险不给理赔",
            "水泉小区的物业费",
            "八道岭超市",
            "我们两家的地挨着",
            "",
        ],
    )
    def test_what_names_no_area_of_ours_is_none(self, text):
        assert city.located(text).status == "none"

    def test_the_county_known_and_the_unit_unknown_gives_the_county(self):
        for text in ("新邱区新邱村的路", "海州区公园的树倒了", "海州区大众路12号"):
            found = city.located(text)

            assert (found.status, found.level) == ("found", "county")

    def test_a_misspelt_unit_gives_its_town_and_the_unit_as_a_question(self):
        found = city.located("佛寺镇八道领村的路")

        assert (found.area_id, found.candidates) == (210921103, (210921103204,))

    def test_a_shortened_name_needs_its_town(self):
        without_alias = [unit for unit in city.published_units() if unit.kind != "village"]
        villages = [
            gazetteer.Unit(**{name: getattr(unit, name) for name in unit.__slots__ if name != "aliases"})
            for unit in city.published_units()
            if unit.kind == "village"
        ]
        known = gazetteer.Gazetteer.build([*without_alias, *villages])

        assert city.located("扎兰营子镇康四村的路", of=known).area_id == 210921125213
        assert city.located("扎兰营子镇康四屯的路", of=known).area_id == 210921125
        assert city.located("康四村的路", of=known).status == "none"

    def test_the_place_text_behind_the_name_is_kept(self):
        assert city.located("阜蒙县扎兰营子镇康四村八苏台屯").rest == "八苏台屯"
        assert city.located("", address="旧庙镇海力板村三组").rest == "三组"
        assert city.located("海州区大众路12号路灯不亮").rest == "大众路12号"

    def test_the_address_may_be_written_without_endings(self):
        assert city.located("停水了", address="海州大众路12号").area_id == 210902
        assert city.located("路坏了", address="彰武县得力").area_id == 210922104207
        assert city.located("树倒了", address="公园社区").area_id == 210922100005

    def test_every_unit_is_found_by_its_full_name_and_by_town_and_name(self):
        lost = [
            text
            for row in city.published_villages()
            for text in (f"阜新市{row['county']}{row['town']}{row['name']}", f"{row['town']}{row['name']}")
            if city.located(text).area_id != int(row["code"])
        ]

        assert lost == []

    def test_a_unit_name_alone_is_right_or_asked(self):
        wrong, asked = [], 0
        for row in city.published_villages():
            found = city.located(row["name"])
            asked += found.status == "ambiguous"
            if found.area_id != int(row["code"]) and int(row["code"]) not in found.candidates:
                wrong.append((row["name"], found))

        assert wrong == []
        assert asked == 124

    def test_a_spoken_unit_name_is_never_another_unit(self):
        known = city.published_gazetteer()
        wrong = []
        for row in city.published_villages():
            name = city.core(row["name"])
            ending = "村" if row["codekind"] == "village" else "社区"
            for text in (f"{name}{ending}停水了", f"{name}停水了", f"{row['county']}{name}", f"住{row['town']}{name}"):
                found = city.located(text)
                if found.area_id is not None and not known.holds(found.area_id, int(row["code"])):
                    wrong.append((text, found.area_id))

        assert wrong == []

    def test_tellings_of_another_city_find_next_to_nothing_here(self):
        messages = city.rows("appeals-zh/messages_4326.csv")

        found = [
            message["id"]
            for message in messages
            if city.located(f"{message['留言主题']}\n{message['留言详情']}").status == "found"
        ]

        # One says only "我是金地社区13栋的业主": a community of that very name exists here too.
        assert len(found) <= 1


class TestMadeCity:
    def located(self, text, address=""):
        return city.located(text, address=address, of=city.made_gazetteer())

    def test_a_shared_name_is_decided_by_a_town_named_anywhere(self):
        found = self.located("我是松林镇的，家里没电，双松村整个都黑了")

        assert found.area_id == city.EAST_PINES
        assert "place_by_parent" in {reason.kind for reason in found.reasons}

    def test_a_shared_name_alone_is_asked_with_the_county_that_holds_all(self):
        found = self.located("双松村停电了")

        assert found.status == "ambiguous"
        assert found.candidates == (city.EAST_PINES, city.WEST_PINES)
        assert found.within == city.RIVER

    def test_an_estate_is_an_alias_of_its_community(self):
        assert self.located("翠湖雅居小区停水").area_id == city.GARDEN

    def test_an_alias_of_two_areas_resolves_no_more(self):
        assert self.located("老油坊的路灯").candidates == (city.GARDEN, city.MARKET)

    def test_an_alias_that_goes_on_as_a_shop_or_a_road_is_no_area(self):
        assert self.located("北大院的路灯").area_id == city.MARKET
        assert self.located("北大院饭店太吵").status == "none"

    def test_a_short_alias_is_believed_only_where_a_place_is_named(self):
        assert self.located("青川那边停电了").area_id == city.RIVER
        assert self.located("停电了", address="青川松林镇").area_id == city.EAST_TOWN
        assert self.located("大青川饭店太吵").status == "none"

    def test_a_development_zone_is_found_by_its_names(self):
        assert self.located("云川高新区的路").area_id == city.ZONE
        assert self.located("云川高新技术开发区的路").level == "functional"

    def test_a_grid_is_not_found_by_name(self):
        assert self.located("第一网格的路").status == "none"

    def test_an_old_ending_of_a_town_is_understood(self):
        assert self.located("白马镇的路").area_id == city.WEST_TOWN

    def test_a_wrong_ending_inside_the_town_is_understood(self):
        found = self.located("松林镇双松社区停水")

        assert found.area_id == city.EAST_PINES
        assert "place_short_name" in {reason.kind for reason in found.reasons}

    def test_a_hamlet_form_of_a_village_is_understood(self):
        found = self.located("深井沟屯的路")

        assert (found.area_id, found.confidence) == (city.DEEP_WELL, 0.7)

    def test_an_office_of_a_county_does_not_compete_with_the_place(self):
        assert self.located("石城区人社局说不管，我是松林镇深井沟村的").area_id == city.DEEP_WELL

    def test_an_office_alone_still_says_the_county(self):
        assert self.located("石城区人社局的窗口").area_id == city.HILL

    def test_town_and_unit_of_different_places_are_asked(self):
        assert self.located("白马乡和松林镇深井沟村之间的路").candidates == (city.DEEP_WELL, city.WEST_TOWN)

    def test_address_and_text_that_differ_are_asked(self):
        found = self.located("深井沟村的路", address="石城区老街街道")

        assert found.candidates == (city.DEEP_WELL, city.OLD_STREET)
        assert {word.source for word in found.spans} == {"text", "address"}

    def test_the_text_makes_the_address_finer(self):
        assert self.located("长石营子的沟里有垃圾", address="青河县白马乡").area_id == city.LONG_STONE

    def test_a_name_behind_another_citys_name_alone_is_asked(self):
        found = self.located("沈阳那边的深井沟村停水了")

        assert found.status == "ambiguous"
        assert "place_elsewhere" in {reason.kind for reason in found.reasons}

    def test_our_own_city_beside_another_citys_name_settles_it(self):
        assert self.located("从沈阳回云川，深井沟村的路还没修").area_id == city.DEEP_WELL

    def test_a_teller_who_says_where_he_lives_may_name_another_city(self):
        assert self.located("我是深井沟村的，在沈阳看病报销的事").area_id == city.DEEP_WELL

    def test_ordinary_words_need_more_than_their_ending_to_be_a_place(self):
        doubtful = "建一个公园社区的人都能去"

        assert self.located("老街街道公园社区").area_id == city.GARDEN
        assert self.located("我家住公园社区").area_id == city.GARDEN
        assert self.located(doubtful).status == "ambiguous"

    def test_spans_show_the_tellers_own_words(self):
        found = self.located("我家 青河縣松林鎮 深井溝村 没水")

        assert [word.text for word in found.spans] == ["青河縣", "松林鎮", "深井溝村"]

    def test_a_text_that_lists_the_whole_city_is_a_question(self):
        text = "，".join(["双松村", "深井沟村", "长石营子村", "公园社区"] * 500)

        assert self.located(text).status == "ambiguous"

    def test_names_of_places_are_reported_for_the_reader_of_words(self):
        text = normal.normalise("松林镇深井沟村没水")

        _, names = city.made_gazetteer().locate(text=text, address=normal.normalise("青河县", source="address"))

        assert names == ((0, 3), (3, 7))

    def test_holding_is_reflexive_and_goes_down(self):
        known = city.made_gazetteer()

        assert known.holds(city.RIVER, city.DEEP_WELL)
        assert known.holds(city.CITY, city.DEEP_WELL)
        assert known.holds(city.DEEP_WELL, city.DEEP_WELL)
        assert not known.holds(city.DEEP_WELL, city.RIVER)
        assert not known.holds(city.HILL, city.DEEP_WELL)

    def test_a_name_that_goes_on_as_another_word_is_no_village(self):
        assert self.located("长石营子村镇银行不给取钱").status == "none"
        assert self.located("长石营子村的银行不给取钱").status == "found"

    def test_a_short_name_behind_a_side_or_a_size_is_no_place(self):
        assert self.located("青河县后白马，路坏了").area_id == city.RIVER
        assert self.located("青河县白马，路坏了").area_id == city.WEST_TOWN

    def test_an_empty_list_of_areas_finds_nothing(self):
        assert city.located("松林镇", of=gazetteer.Gazetteer.build([])).status == "none"
