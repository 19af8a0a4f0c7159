"""What a ValidatingAdmissionPolicy of conf/kubernetes says to a request, by cel-python's evaluation of its own CEL."""
import re
import sys

import published


class Verdict:
    def __init__(self, messages):
        self.messages = messages
        self.allowed = not messages


def _matches(policy, request):
    """A request's `group` is its API group; without one it is the core's. Of wildcards, those of versions alone are used."""
    for rule in policy["spec"]["matchConstraints"]["resourceRules"]:
        assert not any("*" in each for each in rule["resources"] + rule["apiGroups"])
        if request["operation"] in rule["operations"] and request["resource"] in rule["resources"] and request.get("group", "") in rule["apiGroups"]:
            return True
    return False


def _bound(binding, namespace):
    wanted = binding["spec"].get("matchResources", {}).get("namespaceSelector", {}).get("matchLabels", {})
    return all((namespace["metadata"].get("labels") or {}).get(k) == v for k, v in wanted.items())


class Admission:
    def __init__(self, resources):
        where = str(published.python_or_skip())
        if where not in sys.path:
            sys.path.append(where)  # last: what pytest has loaded already stays as it is
        import celpy
        from celpy import adapter

        self._celpy, self._to_cel = celpy, adapter.json_to_cel
        self._policies = {r["metadata"]["name"]: r for r in resources if r["kind"] == "ValidatingAdmissionPolicy"}
        self._bindings = [r for r in resources if r["kind"] == "ValidatingAdmissionPolicyBinding"]

    def _evaluate(self, expression, activation):
        environment = self._celpy.Environment()
        return environment.program(environment.compile(expression)).evaluate(activation)

    def ask(self, request, namespace, obj, old=None):
        """`request`: operation, resource and userInfo. Says all the reasons why not."""
        messages = []
        for binding in self._bindings:
            policy = self._policies[binding["spec"]["policyName"]]
            if _matches(policy, request) and _bound(binding, namespace):
                messages += self._judged(policy, request, namespace, obj, old)
        return Verdict(messages)

    def _judged(self, policy, request, namespace, obj, old):
        activation = {"object": self._to_cel(obj), "oldObject": self._to_cel(old), "request": self._to_cel(request), "namespaceObject": self._to_cel(namespace)}
        variables = self._celpy.celtypes.MapType()
        for each in policy["spec"].get("variables", []):
            variables[self._celpy.celtypes.StringType(each["name"])] = self._evaluate(each["expression"], {**activation, "variables": variables})
        said = []
        for each in policy["spec"]["validations"]:
            try:
                passed = bool(self._evaluate(each["expression"], {**activation, "variables": variables}))
            except self._celpy.CELEvalError as e:  # failurePolicy: Fail
                said.append(f"error: {e}")
                continue
            if not passed:
                said.append(each.get("message") or str(self._evaluate(each["messageExpression"], {**activation, "variables": variables})))
        return said


def subject(message):
    """What a refusal begins with: the field that it is about."""
    return re.split(r":| and ", message)[0]
